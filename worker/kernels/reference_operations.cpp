#include "worker/kernels/operations.hpp"

namespace ditscale::worker::reference {

torch::Tensor modulated_norm(const torch::Tensor& x, const torch::Tensor& shift, const torch::Tensor& scale) {
  const auto normalised = torch::layer_norm(x, {x.size(-1)}, {}, {}, kNormEpsilon);
  return normalised * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1);
}

torch::Tensor gated_residual(const torch::Tensor& x, const torch::Tensor& gate, const torch::Tensor& branch) {
  return x + gate.unsqueeze(1) * branch;
}

torch::Tensor self_attention(const torch::Tensor& qkv, std::int64_t heads) {
  const auto n = qkv.size(0), tokens = qkv.size(1), width = qkv.size(2) / 3;
  const auto parts =
      qkv.view({n, tokens, 3, heads, width / heads}).permute({2, 0, 3, 1, 4}).unbind(0);  // 3 of (N, H, T, D/H)
  const auto mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);      // (N, H, T, D/H)
  return mixed.transpose(1, 2).reshape({n, tokens, width});
}

torch::Tensor tanh_gelu(const torch::Tensor& x) { return torch::gelu(x, "tanh"); }

}  // namespace ditscale::worker::reference
