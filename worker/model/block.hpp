#pragma once

#include <torch/torch.h>

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/attention.hpp"

namespace ditscale::worker {

/// The two-layer perceptron of a block, GELU in its tanh form.
class MlpImpl : public torch::nn::Module {
 public:
  MlpImpl(std::int64_t width, std::int64_t hidden);
  torch::Tensor forward(const torch::Tensor& x);  // (N, T, D) → (N, T, D)

 private:
  torch::nn::Linear fc1_{nullptr};
  torch::nn::Linear fc2_{nullptr};
};
TORCH_MODULE(Mlp);

/// What a block is told about the timestep and the class.
struct Condition {
  torch::Tensor vector;  // (N, D): sum of both embeddings, through SiLU; read by the adaLN designs
  torch::Tensor tokens;  // (N, 2, D): [timestep; label]; read by cross-attention
};

/// One transformer block in any of the paper's four designs (section 3.2, figure 3).
///
/// adaLN(-Zero): LayerNorms without weights, shifted and scaled by the condition; adaLN-Zero gates each branch as well.
/// Cross-attention and in-context: LayerNorms with weights; the former attends to the condition's tokens after
/// self-attention, the latter finds them at the end of its sequence.
class BlockImpl : public torch::nn::Module {
 public:
  explicit BlockImpl(const sweeps::ModelShape& shape);
  torch::Tensor forward(const torch::Tensor& x, const Condition& condition);  // (N, T, D) → (N, T, D)

 private:
  torch::Tensor forward_modulated(const torch::Tensor& x, const torch::Tensor& condition);
  torch::Tensor forward_plain(torch::Tensor x, const torch::Tensor& condition_tokens);

  sweeps::BlockDesign design_;
  Attention attn_{nullptr};
  Mlp mlp_{nullptr};
  torch::nn::Sequential modulation_{nullptr};
  torch::nn::LayerNorm norm1_{nullptr};
  torch::nn::LayerNorm norm2_{nullptr};
  torch::nn::LayerNorm norm_cross_{nullptr};
  CrossAttention cross_attn_{nullptr};
};
TORCH_MODULE(Block);

/// A LayerNorm with weights, as the designs without modulation use it.
[[nodiscard]] torch::nn::LayerNorm weighted_norm(std::int64_t width);

}  // namespace ditscale::worker
