#include "worker/model/final_layer.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;

FinalLayerImpl::FinalLayerImpl(const sweeps::ModelShape& shape) : kind_(shape.model.norm) {
  const std::int64_t width = shape.model.width;
  linear_ = register_module("linear", nn::Linear(width, shape.model.patch * shape.model.patch * shape.out_channels()));
  if (shape.model.modulated()) {
    modulation_ = register_module("adaLN_modulation", nn::Sequential(nn::Identity(), nn::Linear(width, 2 * width)));
  } else {
    norm_ = register_module("norm_final", WeightedNorm(width, kind_));
  }
}

torch::Tensor FinalLayerImpl::forward(const torch::Tensor& x, const torch::Tensor& condition) {
  if (norm_) return linear_(norm_(x));
  const auto parts = modulation_->forward(condition).chunk(2, 1);
  return linear_(modulated(x, parts[0], parts[1], kind_));
}

}  // namespace ditscale::worker
