#pragma once

#include <string>

#include "worker/evaluation/fashion_cnn_model.hpp"
#include "worker/evaluation/feature_network.hpp"

namespace ditscale::worker {

/// The embedded Fashion-MNIST classifier as a feature network: 28 x 28 grey images, 64 features. Its weights are part
/// of the program (worker/evaluation/fashion_cnn.h5, made by tools/fashion_cnn).
class FashionCnn final : public FeatureNetwork {
 public:
  static constexpr char kName[] = "fashion_cnn";

  FashionCnn();

  [[nodiscard]] std::string name() const override { return kName; }
  [[nodiscard]] std::string digest() const override { return digest_; }
  [[nodiscard]] std::int64_t width() const override { return FashionCnnModel::kNumFeatures; }
  [[nodiscard]] std::int64_t num_classes() const override { return FashionCnnModel::kNumClasses; }
  [[nodiscard]] ImageFeatures extract(const torch::Tensor& images, FeatureParts parts) const override;

  /// The classifier's answer to features, bias included.
  [[nodiscard]] torch::Tensor logits(const torch::Tensor& features) const;  // (N, 10)
  /// How the weights were made, as JSON: test_accuracy, seed, epochs, torch, data_digest.
  [[nodiscard]] const std::string& metadata() const { return metadata_; }

 private:
  FashionCnnModel model_;
  std::string digest_;
  std::string metadata_;
};

}  // namespace ditscale::worker
