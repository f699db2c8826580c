#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "worker/data/image_set.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/scores/reference.hpp"

namespace ditscale::worker {

/// The whole training set, as it lies on disk (without flips), in the features of `network`, with everything that
/// scores may ask for.
///
/// Computed once and kept in `cache_folder` under the digests of network and data. A cached file that is damaged or
/// belongs to something else is computed anew, with a warning; several processes may do so at once. A cache that cannot
/// be written costs a warning and the time of the next run. `progress` is told the images done.
[[nodiscard]] Reference training_reference(const FeatureNetwork& network, const std::string& data_name,
                                           const ImageSet& train, const std::filesystem::path& cache_folder,
                                           const std::function<void(std::int64_t)>& progress = {});

/// Where it is kept.
[[nodiscard]] std::filesystem::path training_reference_file(const FeatureNetwork& network, const ImageSet& train,
                                                            const std::filesystem::path& cache_folder);

/// A file of `worker reference`, or ADM's npz, of whose images features are made only when `keeps_features`. Throws
/// ConfigError when it was made by another network, CorruptData when it is damaged.
[[nodiscard]] Reference load_reference(const std::filesystem::path& file, const FeatureNetwork& network,
                                       bool keeps_features);

}  // namespace ditscale::worker
