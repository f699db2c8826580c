#include "worker/model/block.hpp"

#include "worker/kernels/operations.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;
using sweeps::BlockDesign;

BlockImpl::BlockImpl(const sweeps::ModelShape& shape) : design_(shape.model.block), norm_(shape.model.norm) {
  const std::int64_t width = shape.model.width;
  attn_ = register_module("attn", Attention(shape));
  mlp_ = register_module("mlp", Mlp(shape));
  if (shape.model.modulated()) {
    const std::int64_t parts = design_ == BlockDesign::kAdaLnZero ? 6 : 4;
    modulation_ = register_module("adaLN_modulation", nn::Sequential(nn::Identity(), nn::Linear(width, parts * width)));
    return;
  }
  norm1_ = register_module("norm1", WeightedNorm(width, norm_));
  norm2_ = register_module("norm2", WeightedNorm(width, norm_));
  if (design_ == BlockDesign::kCrossAttention) {
    norm_cross_ = register_module("norm_cross", WeightedNorm(width, norm_));
    cross_attn_ = register_module("cross_attn", CrossAttention(shape));
  }
}

torch::Tensor BlockImpl::forward(const torch::Tensor& x, const Condition& condition) {
  return modulation_ ? forward_modulated(x, condition.vector) : forward_plain(x, condition.tokens);
}

torch::Tensor BlockImpl::forward_modulated(const torch::Tensor& x, const torch::Tensor& condition) {
  const auto parts =
      modulation_->forward(condition).chunk(design_ == BlockDesign::kAdaLnZero ? 6 : 4, 1);  // each (N, D)
  if (design_ == BlockDesign::kAdaLn) {
    const auto middle = x + attn_(modulated(x, parts[0], parts[1], norm_));
    return middle + mlp_(modulated(middle, parts[2], parts[3], norm_));
  }
  const auto middle = gated_residual(x, parts[2], attn_(modulated(x, parts[0], parts[1], norm_)));
  return gated_residual(middle, parts[5], mlp_(modulated(middle, parts[3], parts[4], norm_)));
}

torch::Tensor BlockImpl::forward_plain(torch::Tensor x, const torch::Tensor& condition_tokens) {
  x = x + attn_(norm1_(x));
  if (cross_attn_) x = x + cross_attn_(norm_cross_(x), condition_tokens);
  return x + mlp_(norm2_(x));
}

}  // namespace ditscale::worker
