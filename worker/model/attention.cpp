#include "worker/model/attention.hpp"

#include "worker/kernels/operations.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;

AttentionImpl::AttentionImpl(std::int64_t width, std::int64_t heads) : heads_(heads) {
  qkv_ = register_module("qkv", nn::Linear(width, 3 * width));
  proj_ = register_module("proj", nn::Linear(width, width));
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& x) { return proj_(self_attention(qkv_(x), heads_)); }

CrossAttentionImpl::CrossAttentionImpl(std::int64_t width, std::int64_t heads) : heads_(heads) {
  q_ = register_module("q", nn::Linear(width, width));
  kv_ = register_module("kv", nn::Linear(width, 2 * width));
  proj_ = register_module("proj", nn::Linear(width, width));
}

torch::Tensor CrossAttentionImpl::forward(const torch::Tensor& x, const torch::Tensor& condition) {
  const auto n = x.size(0), tokens = x.size(1), width = x.size(2), head_width = width / heads_;
  const auto q = q_(x).view({n, tokens, heads_, head_width}).transpose(1, 2);  // (N, H, T, D/H)
  const auto kv =
      kv_(condition).view({n, condition.size(1), 2, heads_, head_width}).permute({2, 0, 3, 1, 4});  // (2, N, H, 2, D/H)
  const auto mixed = at::scaled_dot_product_attention(q, kv[0], kv[1]);                             // (N, H, T, D/H)
  return proj_(mixed.transpose(1, 2).reshape({n, tokens, width}));
}

}  // namespace ditscale::worker
