#include "worker/model/block.hpp"

#include "worker/kernels/operations.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;
using sweeps::BlockDesign;

MlpImpl::MlpImpl(std::int64_t width, std::int64_t hidden) {
  fc1_ = register_module("fc1", nn::Linear(width, hidden));
  fc2_ = register_module("fc2", nn::Linear(hidden, width));
}

torch::Tensor MlpImpl::forward(const torch::Tensor& x) { return fc2_(tanh_gelu(fc1_(x))); }

torch::nn::LayerNorm weighted_norm(std::int64_t width) {
  return nn::LayerNorm(nn::LayerNormOptions({width}).eps(kNormEpsilon));
}

BlockImpl::BlockImpl(const sweeps::ModelShape& shape) : design_(shape.model.block) {
  const std::int64_t width = shape.model.width;
  attn_ = register_module("attn", Attention(width, shape.model.heads));
  mlp_ = register_module("mlp", Mlp(width, shape.mlp_hidden()));
  if (design_ == BlockDesign::kAdaLnZero || design_ == BlockDesign::kAdaLn) {
    const std::int64_t parts = design_ == BlockDesign::kAdaLnZero ? 6 : 4;
    modulation_ = register_module("adaLN_modulation", nn::Sequential(nn::Identity(), nn::Linear(width, parts * width)));
    return;
  }
  norm1_ = register_module("norm1", weighted_norm(width));
  norm2_ = register_module("norm2", weighted_norm(width));
  if (design_ == BlockDesign::kCrossAttention) {
    norm_cross_ = register_module("norm_cross", weighted_norm(width));
    cross_attn_ = register_module("cross_attn", CrossAttention(width, shape.model.heads));
  }
}

torch::Tensor BlockImpl::forward(const torch::Tensor& x, const Condition& condition) {
  return modulation_ ? forward_modulated(x, condition.vector) : forward_plain(x, condition.tokens);
}

torch::Tensor BlockImpl::forward_modulated(const torch::Tensor& x, const torch::Tensor& condition) {
  const auto parts =
      modulation_->forward(condition).chunk(design_ == BlockDesign::kAdaLnZero ? 6 : 4, 1);  // each (N, D)
  if (design_ == BlockDesign::kAdaLn) {
    const auto middle = x + attn_(modulated_norm(x, parts[0], parts[1]));
    return middle + mlp_(modulated_norm(middle, parts[2], parts[3]));
  }
  const auto middle = gated_residual(x, parts[2], attn_(modulated_norm(x, parts[0], parts[1])));
  return gated_residual(middle, parts[5], mlp_(modulated_norm(middle, parts[3], parts[4])));
}

torch::Tensor BlockImpl::forward_plain(torch::Tensor x, const torch::Tensor& condition_tokens) {
  x = x + attn_(norm1_(x));
  if (cross_attn_) x = x + cross_attn_(norm_cross_(x), condition_tokens);
  return x + mlp_(norm2_(x));
}

}  // namespace ditscale::worker
