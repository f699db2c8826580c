#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <torch/types.h>

namespace ditscale::worker {

/// What is asked of a network beside its pooled features.
struct FeatureParts {
  bool spatial = false;
  bool logits = false;
};

/// What a network sees in N images, float32 on the CPU. What was not asked for is undefined.
struct ImageFeatures {
  torch::Tensor pooled;   // (N, D)
  torch::Tensor spatial;  // (N, E): part of a map that still knows places, flattened (H, W, C), channel fastest
  torch::Tensor logits;   // (N, K): as its softmax takes them; Inception's without bias (ADM's suite)
};

/// A fixed network that turns images into feature vectors, whose distributions are then compared.
class FeatureNetwork {
 public:
  virtual ~FeatureNetwork() = default;
  /// The word a sweep file uses; scores of different networks are different metrics.
  [[nodiscard]] virtual std::string name() const = 0;
  /// Of the weights.
  [[nodiscard]] virtual std::string digest() const = 0;
  /// Length D of a pooled feature vector.
  [[nodiscard]] virtual std::int64_t width() const = 0;
  /// Length E of a spatial feature vector; 0 where the network has none.
  [[nodiscard]] virtual std::int64_t spatial_width() const { return 0; }
  /// Classes K that its logits tell apart; 0 where it has none.
  [[nodiscard]] virtual std::int64_t num_classes() const { return 0; }
  /// Features of uint8 images (N, C, H, W); in batches inside, without gradients. Throws ConfigError when the network
  /// does not fit such images, or has no such part.
  [[nodiscard]] virtual ImageFeatures extract(const torch::Tensor& images, FeatureParts parts) const = 0;

  /// The pooled features alone.
  [[nodiscard]] torch::Tensor features(const torch::Tensor& images) const { return extract(images, {}).pooled; }
};

/// Throws ConfigError when `network` lacks a part that is asked for.
void check_has(const FeatureNetwork& network, FeatureParts parts);

/// The network of that name: "fashion_cnn", which is embedded and takes no file. Throws ConfigError for any other.
[[nodiscard]] std::unique_ptr<FeatureNetwork> make_feature_network(const std::string& name,
                                                                   const std::filesystem::path& file = {},
                                                                   torch::Device device = torch::kCPU);

}  // namespace ditscale::worker
