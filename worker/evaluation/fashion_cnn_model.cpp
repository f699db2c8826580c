#include "worker/evaluation/fashion_cnn_model.hpp"

namespace ditscale::worker {

namespace {

/// Mean and standard deviation of all training pixels, in units of 255.
constexpr double kPixelMean = 0.2860;
constexpr double kPixelDeviation = 0.3530;
constexpr std::int64_t kPooledValues = 64 * 3 * 3;

torch::Tensor convolve(const torch::Tensor& input, const FashionCnnModel::Layer& layer, std::int64_t stride) {
  return at::relu(at::conv2d(input, layer.weight, layer.bias, stride, 1));
}

}  // namespace

std::vector<std::pair<std::string, std::vector<std::int64_t>>> FashionCnnModel::layout() {
  return {{"conv1.weight", {16, 1, 3, 3}},
          {"conv1.bias", {16}},
          {"conv2.weight", {32, 16, 3, 3}},
          {"conv2.bias", {32}},
          {"conv3.weight", {64, 32, 3, 3}},
          {"conv3.bias", {64}},
          {"hidden.weight", {kNumFeatures, kPooledValues}},
          {"hidden.bias", {kNumFeatures}},
          {"classes.weight", {kNumClasses, kNumFeatures}},
          {"classes.bias", {kNumClasses}}};
}

std::array<torch::Tensor*, 10> FashionCnnModel::parameters() {
  return {&conv1.weight, &conv1.bias,    &conv2.weight, &conv2.bias,     &conv3.weight,
          &conv3.bias,   &hidden.weight, &hidden.bias,  &classes.weight, &classes.bias};
}

torch::Tensor FashionCnnModel::normalise(const torch::Tensor& images_uint8) {
  return (images_uint8.to(torch::kFloat) / 255.0 - kPixelMean) / kPixelDeviation;
}

torch::Tensor FashionCnnModel::pooled(const torch::Tensor& normalised) const {
  const torch::Tensor wide = convolve(normalised, conv1, 1);                  // (N, 16, 28, 28)
  const torch::Tensor narrow = convolve(convolve(wide, conv2, 2), conv3, 2);  // (N, 64, 7, 7)
  return at::max_pool2d(narrow, 3, 2).flatten(1);
}

torch::Tensor FashionCnnModel::features(const torch::Tensor& pooled) const {
  return at::linear(pooled, hidden.weight, hidden.bias);
}

torch::Tensor FashionCnnModel::logits(const torch::Tensor& features) const {
  return at::linear(at::relu(features), classes.weight, classes.bias);
}

}  // namespace ditscale::worker
