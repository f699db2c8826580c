#pragma once

#include <filesystem>
#include <string>

#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/inception/inception_graph.hpp"

namespace ditscale::worker {

/// The feature network of FID, sFID and the Inception Score: colour images of any size, resized to 299 pixels as
/// TensorFlow 1 does (see resize_as_tf1), scaled by (x - 128) / 128, float32 throughout (no TF32).
///   pooled   2048: the last average pool
///   spatial  2023: the first 7 channels of Mixed_6d.branch1x1, 17 x 17, flattened (H, W, C), channel fastest
///   logits   1008: pooled · fc.weightᵀ, without bias
class Inception final : public FeatureNetwork {
 public:
  static constexpr char kName[] = "inception";

  /// See load_inception_weights for what is accepted and thrown.
  Inception(const std::filesystem::path& file, torch::Device device);

  [[nodiscard]] std::string name() const override { return kName; }
  [[nodiscard]] std::string digest() const override { return graph_.weights().digest; }
  [[nodiscard]] std::int64_t width() const override { return kInceptionFeatures; }
  [[nodiscard]] std::int64_t spatial_width() const override { return kSpatialChannels * kSpatialSide * kSpatialSide; }
  [[nodiscard]] std::int64_t num_classes() const override { return kInceptionClasses; }
  [[nodiscard]] ImageFeatures extract(const torch::Tensor& images, FeatureParts parts) const override;

 private:
  static constexpr std::int64_t kSpatialChannels = 7, kSpatialSide = 17;

  InceptionGraph graph_;
  torch::Device device_;
};

}  // namespace ditscale::worker
