#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <torch/types.h>

namespace ditscale::worker {

/// A fixed network that turns images into feature vectors, whose distributions are then compared.
class FeatureNetwork {
 public:
  virtual ~FeatureNetwork() = default;
  /// The word a sweep file uses; scores of different networks are different metrics.
  [[nodiscard]] virtual std::string name() const = 0;
  /// Of the weights.
  [[nodiscard]] virtual std::string digest() const = 0;
  /// Length D of a feature vector.
  [[nodiscard]] virtual std::int64_t width() const = 0;
  /// Features of uint8 images (N, C, H, W), as float32 (N, D) on the CPU; in batches inside, without gradients. Throws
  /// ConfigError when the network does not fit such images.
  [[nodiscard]] virtual torch::Tensor features(const torch::Tensor& images) const = 0;
};

/// The network of that name: "fashion_cnn". Throws ConfigError for any other.
[[nodiscard]] std::unique_ptr<FeatureNetwork> make_feature_network(const std::string& name);

}  // namespace ditscale::worker
