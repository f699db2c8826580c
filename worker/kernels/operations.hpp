#pragma once

#include <cstdint>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// The model's non-matrix operations. Each exists as plain LibTorch operations (namespace `reference`) and, for float32
/// on a processor, as a fused kernel with a backward written by hand; the functions here choose. Tests hold the two
/// together.

/// LayerNorm's epsilon everywhere in the model.
inline constexpr double kNormEpsilon = 1e-6;

/// LayerNorm without weights, then x (1 + scale) + shift. x (N, T, D); shift, scale (N, D) → (N, T, D).
[[nodiscard]] torch::Tensor modulated_norm(const torch::Tensor& x, const torch::Tensor& shift,
                                           const torch::Tensor& scale);

/// RMSNorm without weights, then x (1 + scale) + shift; plain operations everywhere. Shapes as above.
[[nodiscard]] torch::Tensor modulated_rms_norm(const torch::Tensor& x, const torch::Tensor& shift,
                                               const torch::Tensor& scale);

/// x + gate * branch, the gate broadcast over tokens. x, branch (N, T, D); gate (N, D) → (N, T, D).
[[nodiscard]] torch::Tensor gated_residual(const torch::Tensor& x, const torch::Tensor& gate,
                                           const torch::Tensor& branch);

/// Softmax attention over one projected tensor. qkv (N, T, 3 D) reading as (3, H, D / H) → (N, T, D).
[[nodiscard]] torch::Tensor self_attention(const torch::Tensor& qkv, std::int64_t heads);

/// GELU in its tanh form (Hendrycks & Gimpel 2016), element by element.
[[nodiscard]] torch::Tensor tanh_gelu(const torch::Tensor& x);

/// Turns the fused kernels off (and on again) for this process: for comparisons.
void use_fused_kernels(bool on);

namespace reference {
[[nodiscard]] torch::Tensor modulated_norm(const torch::Tensor& x, const torch::Tensor& shift,
                                           const torch::Tensor& scale);
[[nodiscard]] torch::Tensor gated_residual(const torch::Tensor& x, const torch::Tensor& gate,
                                           const torch::Tensor& branch);
[[nodiscard]] torch::Tensor self_attention(const torch::Tensor& qkv, std::int64_t heads);
[[nodiscard]] torch::Tensor tanh_gelu(const torch::Tensor& x);
}  // namespace reference

}  // namespace ditscale::worker
