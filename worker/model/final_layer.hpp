#pragma once

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/norm.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Norm, modulation (in the adaLN designs) and the linear map to patches.
class FinalLayerImpl : public torch::nn::Module {
 public:
  explicit FinalLayerImpl(const sweeps::ModelShape& shape);
  /// x (N, T, D), condition (N, D) through SiLU → (N, T, P P O).
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& condition);

 private:
  sweeps::NormKind kind_;
  torch::nn::Linear linear_{nullptr};
  torch::nn::Sequential modulation_{nullptr};
  WeightedNorm norm_{nullptr};
};
TORCH_MODULE(FinalLayer);

}  // namespace ditscale::worker
