#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

namespace ditscale::worker {

/// The architecture of fashion_cnn and its weights; the tool that trains it and the network that uses it share this.
///
///   uint8 image → (x / 255 - mean) / deviation                (N, 1, 28, 28)
///   conv1 3x3            16 channels, ReLU                    (N, 16, 28, 28)
///   conv2 3x3 stride 2   32 channels, ReLU                    (N, 32, 14, 14)
///   conv3 3x3 stride 2   64 channels, ReLU, max pool 3x3/2    (N, 64, 3, 3)
///   hidden linear        the features, before the ReLU        (N, 64)
///   ReLU, classes linear                                      (N, 10)
///
/// Features are taken before the ReLU: there they are closer to the Gaussian that the Fréchet distance assumes, and no
/// unit is constant.
struct FashionCnnModel {
  static constexpr std::int64_t kImageSide = 28;
  static constexpr std::int64_t kNumFeatures = 64;
  static constexpr std::int64_t kNumClasses = 10;

  struct Layer {
    torch::Tensor weight;
    torch::Tensor bias;
  };
  Layer conv1, conv2, conv3, hidden, classes;

  /// Name and shape of every weight, in the order of `parameters`: "conv1.weight", "conv1.bias", …
  [[nodiscard]] static std::vector<std::pair<std::string, std::vector<std::int64_t>>> layout();
  [[nodiscard]] std::array<torch::Tensor*, 10> parameters();

  /// float32 images of the network's scale.
  [[nodiscard]] static torch::Tensor normalise(const torch::Tensor& images_uint8);
  /// What the hidden layer reads.
  [[nodiscard]] torch::Tensor pooled(const torch::Tensor& normalised) const;  // (N, 576)
  [[nodiscard]] torch::Tensor features(const torch::Tensor& pooled) const;    // (N, 64)
  [[nodiscard]] torch::Tensor logits(const torch::Tensor& features) const;    // (N, 10)
};

}  // namespace ditscale::worker
