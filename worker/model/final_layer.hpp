#pragma once

#include <torch/torch.h>

#include "sweeps/spec/model_spec.hpp"

namespace ditscale::worker {

/// Norm, modulation (in the adaLN designs) and the linear map to patches.
class FinalLayerImpl : public torch::nn::Module {
 public:
  explicit FinalLayerImpl(const sweeps::ModelShape& shape);
  /// x (N, T, D), condition (N, D) through SiLU → (N, T, P P O).
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& condition);

 private:
  torch::nn::Linear linear_{nullptr};
  torch::nn::Sequential modulation_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};
TORCH_MODULE(FinalLayer);

}  // namespace ditscale::worker
