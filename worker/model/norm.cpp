#include "worker/model/norm.hpp"

#include "worker/kernels/operations.hpp"

namespace ditscale::worker {

using sweeps::NormKind;

WeightedNormImpl::WeightedNormImpl(std::int64_t width, NormKind kind) {
  weight_ = register_parameter("weight", torch::ones({width}));
  if (kind == NormKind::kLayer) bias_ = register_parameter("bias", torch::zeros({width}));
}

torch::Tensor WeightedNormImpl::forward(const torch::Tensor& x) {
  const at::IntArrayRef width = weight_.sizes();
  return bias_.defined() ? torch::layer_norm(x, width, weight_, bias_, kNormEpsilon)
                         : at::rms_norm(x, width, weight_, kNormEpsilon);
}

torch::Tensor modulated(const torch::Tensor& x, const torch::Tensor& shift, const torch::Tensor& scale, NormKind kind) {
  return kind == NormKind::kRms ? modulated_rms_norm(x, shift, scale) : modulated_norm(x, shift, scale);
}

}  // namespace ditscale::worker
