#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/scores/reference.hpp"

namespace ditscale::worker {

/// A set of images that is read piece by piece.
struct ReferenceImages {
  /// "fashion_mnist train".
  std::string name;
  std::string digest;
  std::int64_t num_images = 0;
  /// Images begin … end - 1.
  std::function<torch::Tensor(std::int64_t begin, std::int64_t end)> piece;  // (n, C, H, W) uint8
};

/// What a reference shall hold beside the statistics of pooled features.
struct ReferenceParts {
  bool spatial = false;
  /// Features of up to 10,000 images, chosen by a fixed permutation, in the order of the set.
  bool features = false;
};

/// Streams over all images once; the sums do not depend on anything but them. `progress` is told the images done.
/// Throws ConfigError for an empty set or a part that the network has not, NotFinite for features without distribution.
[[nodiscard]] Reference make_reference(const FeatureNetwork& network, ReferenceParts parts,
                                       const ReferenceImages& images,
                                       const std::function<void(std::int64_t)>& progress = {});

}  // namespace ditscale::worker
