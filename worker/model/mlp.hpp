#pragma once

#include <cstdint>

#include "sweeps/spec/model_spec.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// The perceptron of a block: fc2(GELU(fc1 x)), GELU in its tanh form; or SwiGLU (Shazeer 2020), w3(SiLU(a) · b) with
/// [a, b] = w12 x.
class MlpImpl : public torch::nn::Module {
 public:
  explicit MlpImpl(const sweeps::ModelShape& shape);
  torch::Tensor forward(const torch::Tensor& x);  // (N, T, D) → (N, T, D)

 private:
  bool gated_;
  torch::nn::Linear in_{nullptr};
  torch::nn::Linear out_{nullptr};
};
TORCH_MODULE(Mlp);

}  // namespace ditscale::worker
