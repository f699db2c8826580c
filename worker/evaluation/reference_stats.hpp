#pragma once

#include <filesystem>
#include <string>

#include "worker/data/image_set.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/gaussian_stats.hpp"

namespace ditscale::worker {

/// Statistics of the whole training set, as it lies on disk (without flips), in the features of `network`.
///
/// Computed once and kept in `cache_folder` as an HDF5 file named after the digests of network and data. A cached file
/// that is damaged or belongs to something else is computed anew, with a warning; several processes may do so at once.
/// A cache that cannot be written costs a warning and the time of the next run.
[[nodiscard]] GaussianStats reference_statistics(const FeatureNetwork& network, const ImageSet& train,
                                                 const std::filesystem::path& cache_folder);

/// Where those statistics are kept.
[[nodiscard]] std::filesystem::path reference_file(const FeatureNetwork& network, const ImageSet& train,
                                                   const std::filesystem::path& cache_folder);

}  // namespace ditscale::worker
