#pragma once

#include <cstdint>
#include <optional>

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/norm.hpp"
#include "worker/model/rotary_embedding.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Multi-head self-attention; q, k, v come from one matrix whose output reads as (3, H, D / H). Optionally q and k are
/// RMS-normalised and turned by their place.
class AttentionImpl : public torch::nn::Module {
 public:
  explicit AttentionImpl(const sweeps::ModelShape& shape);
  torch::Tensor forward(const torch::Tensor& x);  // (N, T, D) → (N, T, D)

 private:
  [[nodiscard]] torch::Tensor with_options(const torch::Tensor& qkv);

  std::int64_t heads_;
  double scale_;
  /// Neither norm, rotation nor a scale of its own: the fast operation.
  bool plain_;
  torch::nn::Linear qkv_{nullptr};
  torch::nn::Linear proj_{nullptr};
  WeightedNorm q_norm_{nullptr};
  WeightedNorm k_norm_{nullptr};
  std::optional<RotaryTables> rotary_;
};
TORCH_MODULE(Attention);

/// Multi-head attention of the image's tokens over the condition's.
class CrossAttentionImpl : public torch::nn::Module {
 public:
  explicit CrossAttentionImpl(const sweeps::ModelShape& shape);
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& condition);  // (N, T, D), (N, K, D) → (N, T, D)

 private:
  std::int64_t heads_;
  double scale_;
  torch::nn::Linear q_{nullptr};
  torch::nn::Linear kv_{nullptr};
  torch::nn::Linear proj_{nullptr};
  WeightedNorm q_norm_{nullptr};
  WeightedNorm k_norm_{nullptr};
};
TORCH_MODULE(CrossAttention);

}  // namespace ditscale::worker
