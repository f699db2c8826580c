#pragma once

#include <filesystem>

#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/scores/reference.hpp"

namespace ditscale::worker {

/// Reads a reference of ADM's suite (an npz with mu, sigma of the 2015 Inception network's pooled features;
/// mu_s, sigma_s of its spatial ones; arr_0, up to 10,000 of the images, uint8 NHWC), or what pytorch-fid writes (mu
/// and sigma alone). A `network` must be "inception" and of their width; it computes the features of arr_0 when
/// `keeps_features`. Such files name neither their network's weights nor the number of images: both stay unknown.
///
/// Throws CorruptData when the arrays are not what they should be; ConfigError for another network, and where there are
/// no images to keep features of.
[[nodiscard]] Reference read_adm_reference(const std::filesystem::path& path, const FeatureNetwork* network = nullptr,
                                           bool keeps_features = false);

/// The name of the network behind such files.
inline constexpr char kAdmNetwork[] = "inception";

}  // namespace ditscale::worker
