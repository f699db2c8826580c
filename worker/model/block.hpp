#pragma once

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/attention.hpp"
#include "worker/model/mlp.hpp"
#include "worker/model/norm.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// What a block is told about the timestep and the image's description.
struct Condition {
  torch::Tensor vector;  // (N, D): sum of the embeddings, through SiLU; read by the adaLN designs
  torch::Tensor tokens;  // (N, K, D): timestep, then label or embeddings; read by cross-attention
};

/// One transformer block in any of the paper's four designs (section 3.2, figure 3).
///
/// adaLN(-Zero): norms without weights, shifted and scaled by the condition; adaLN-Zero gates each branch as well.
/// Cross-attention and in-context: norms with weights; the former attends to the condition's tokens after
/// self-attention, the latter finds them at the end of its sequence.
class BlockImpl : public torch::nn::Module {
 public:
  explicit BlockImpl(const sweeps::ModelShape& shape);
  torch::Tensor forward(const torch::Tensor& x, const Condition& condition);  // (N, T, D) → (N, T, D)

 private:
  torch::Tensor forward_modulated(const torch::Tensor& x, const torch::Tensor& condition);
  torch::Tensor forward_plain(torch::Tensor x, const torch::Tensor& condition_tokens);

  sweeps::BlockDesign design_;
  sweeps::NormKind norm_;
  Attention attn_{nullptr};
  Mlp mlp_{nullptr};
  torch::nn::Sequential modulation_{nullptr};
  WeightedNorm norm1_{nullptr};
  WeightedNorm norm2_{nullptr};
  WeightedNorm norm_cross_{nullptr};
  CrossAttention cross_attn_{nullptr};
};
TORCH_MODULE(Block);

}  // namespace ditscale::worker
