#pragma once

#include <cstdint>

#include <torch/torch.h>

namespace ditscale::worker {

/// Multi-head self-attention; q, k, v come from one matrix whose output reads as (3, H, D / H).
class AttentionImpl : public torch::nn::Module {
 public:
  AttentionImpl(std::int64_t width, std::int64_t heads);
  torch::Tensor forward(const torch::Tensor& x);  // (N, T, D) → (N, T, D)

 private:
  std::int64_t heads_;
  torch::nn::Linear qkv_{nullptr};
  torch::nn::Linear proj_{nullptr};
};
TORCH_MODULE(Attention);

/// Multi-head attention of the image's tokens over the two condition tokens.
class CrossAttentionImpl : public torch::nn::Module {
 public:
  CrossAttentionImpl(std::int64_t width, std::int64_t heads);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& condition);  // (N, T, D), (N, 2, D) → (N, T, D)

 private:
  std::int64_t heads_;
  torch::nn::Linear q_{nullptr};
  torch::nn::Linear kv_{nullptr};
  torch::nn::Linear proj_{nullptr};
};
TORCH_MODULE(CrossAttention);

}  // namespace ditscale::worker
