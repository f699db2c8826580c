#include "worker/model/attention.hpp"

#include "worker/kernels/operations.hpp"
#include "worker/model/mup.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;
using sweeps::BlockDesign;
using sweeps::NormKind;
using sweeps::PositionKind;
using torch::Tensor;

AttentionImpl::AttentionImpl(const sweeps::ModelShape& shape)
    : heads_(shape.model.heads), scale_(attention_scale(shape.model)) {
  const sweeps::ModelSpec& model = shape.model;
  const std::int64_t head_width = model.width / model.heads;
  qkv_ = register_module("qkv", nn::Linear(model.width, 3 * model.width));
  proj_ = register_module("proj", nn::Linear(model.width, model.width));
  if (model.qk_norm) {
    q_norm_ = register_module("q_norm", WeightedNorm(head_width, NormKind::kRms));
    k_norm_ = register_module("k_norm", WeightedNorm(head_width, NormKind::kRms));
  }
  if (model.position == PositionKind::kRope) {
    const std::int64_t extra = model.block == BlockDesign::kInContext ? shape.condition_tokens() : 0;
    rotary_ = rotary_tables(shape.tokens_per_side(), head_width, extra);
    rotary_->cosine = register_buffer("rotary_cosine", rotary_->cosine);
    rotary_->sine = register_buffer("rotary_sine", rotary_->sine);
  }
  plain_ = !model.qk_norm && !rotary_ && !model.mup_base_width;
}

Tensor AttentionImpl::forward(const Tensor& x) {
  const auto qkv = qkv_(x);
  return proj_(plain_ ? self_attention(qkv, heads_) : with_options(qkv));
}

Tensor AttentionImpl::with_options(const Tensor& qkv) {
  const auto n = qkv.size(0), tokens = qkv.size(1), width = qkv.size(2) / 3;
  const auto parts = qkv.view({n, tokens, 3, heads_, width / heads_}).permute({2, 0, 3, 1, 4}).unbind(0);
  Tensor q = parts[0], k = parts[1];  // (N, H, T, D/H)
  if (q_norm_) {
    q = q_norm_(q);
    k = k_norm_(k);
  }
  if (rotary_) {
    q = rotate(q, *rotary_);
    k = rotate(k, *rotary_);
  }
  const auto mixed = at::scaled_dot_product_attention(q, k, parts[2], {}, 0.0, false, scale_);
  return mixed.transpose(1, 2).reshape({n, tokens, width});
}

CrossAttentionImpl::CrossAttentionImpl(const sweeps::ModelShape& shape)
    : heads_(shape.model.heads), scale_(attention_scale(shape.model)) {
  const std::int64_t width = shape.model.width;
  q_ = register_module("q", nn::Linear(width, width));
  kv_ = register_module("kv", nn::Linear(width, 2 * width));
  proj_ = register_module("proj", nn::Linear(width, width));
  if (shape.model.qk_norm) {
    q_norm_ = register_module("q_norm", WeightedNorm(width / heads_, NormKind::kRms));
    k_norm_ = register_module("k_norm", WeightedNorm(width / heads_, NormKind::kRms));
  }
}

Tensor CrossAttentionImpl::forward(const Tensor& x, const Tensor& condition) {
  const auto n = x.size(0), tokens = x.size(1), width = x.size(2), head_width = width / heads_;
  Tensor q = q_(x).view({n, tokens, heads_, head_width}).transpose(1, 2);  // (N, H, T, D/H)
  const auto kv =
      kv_(condition).view({n, condition.size(1), 2, heads_, head_width}).permute({2, 0, 3, 1, 4});  // (2, N, H, K, D/H)
  Tensor k = kv[0];
  if (q_norm_) {
    q = q_norm_(q);
    k = k_norm_(k);
  }
  const auto mixed = at::scaled_dot_product_attention(q, k, kv[1], {}, 0.0, false, scale_);  // (N, H, T, D/H)
  return proj_(mixed.transpose(1, 2).reshape({n, tokens, width}));
}

}  // namespace ditscale::worker
