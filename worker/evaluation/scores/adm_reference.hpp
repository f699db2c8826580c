#pragma once

#include <filesystem>

#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/scores/reference.hpp"

namespace ditscale::worker {

/// Reads a reference of ADM's suite (an npz with mu, sigma of the 2015 Inception network's pooled features;
/// mu_s, sigma_s of its spatial ones; arr_0, up to 10,000 of the images, uint8 NHWC), or what pytorch-fid writes (mu
/// and sigma alone). With a `network`, which must then be "inception", the features of arr_0 are computed by it;
/// without, they are left out. Such files name neither their network's weights nor the number of images: both stay
/// unknown.
///
/// Throws CorruptData when the arrays are not what they should be; ConfigError for another network.
[[nodiscard]] Reference read_adm_reference(const std::filesystem::path& path, const FeatureNetwork* network = nullptr);

/// The name of the network behind such files.
inline constexpr char kAdmNetwork[] = "inception";

}  // namespace ditscale::worker
