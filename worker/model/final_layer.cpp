#include "worker/model/final_layer.hpp"

#include "worker/kernels/operations.hpp"
#include "worker/model/block.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;
using sweeps::BlockDesign;

FinalLayerImpl::FinalLayerImpl(const sweeps::ModelShape& shape) {
  const std::int64_t width = shape.model.width;
  linear_ = register_module("linear", nn::Linear(width, shape.model.patch * shape.model.patch * shape.out_channels()));
  const bool modulated = shape.model.block == BlockDesign::kAdaLnZero || shape.model.block == BlockDesign::kAdaLn;
  if (modulated) {
    modulation_ = register_module("adaLN_modulation", nn::Sequential(nn::Identity(), nn::Linear(width, 2 * width)));
  } else {
    norm_ = register_module("norm_final", weighted_norm(width));
  }
}

torch::Tensor FinalLayerImpl::forward(const torch::Tensor& x, const torch::Tensor& condition) {
  if (norm_) return linear_(norm_(x));
  const auto parts = modulation_->forward(condition).chunk(2, 1);
  return linear_(modulated_norm(x, parts[0], parts[1]));
}

}  // namespace ditscale::worker
