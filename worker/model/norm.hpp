#pragma once

#include "sweeps/spec/model_spec.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// LayerNorm, or RMSNorm (Zhang & Sennrich 2019), with learned weights: for the designs without modulation, and for
/// queries and keys.
class WeightedNormImpl : public torch::nn::Module {
 public:
  WeightedNormImpl(std::int64_t width, sweeps::NormKind kind);
  torch::Tensor forward(const torch::Tensor& x);  // (…, D) → (…, D)

 private:
  torch::Tensor weight_;  // (D)
  torch::Tensor bias_;    // (D); undefined in an RMSNorm
};
TORCH_MODULE(WeightedNorm);

/// A norm without weights, then x (1 + scale) + shift. x (N, T, D); shift, scale (N, D) → (N, T, D).
[[nodiscard]] torch::Tensor modulated(const torch::Tensor& x, const torch::Tensor& shift, const torch::Tensor& scale,
                                      sweeps::NormKind kind);

}  // namespace ditscale::worker
