#include "worker/model/mlp.hpp"

#include "worker/kernels/operations.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;

MlpImpl::MlpImpl(const sweeps::ModelShape& shape) : gated_(shape.model.mlp == sweeps::MlpKind::kSwiGlu) {
  const std::int64_t width = shape.model.width, hidden = shape.mlp_hidden();
  in_ = register_module(gated_ ? "w12" : "fc1", nn::Linear(width, gated_ ? 2 * hidden : hidden));
  out_ = register_module(gated_ ? "w3" : "fc2", nn::Linear(hidden, width));
}

torch::Tensor MlpImpl::forward(const torch::Tensor& x) {
  const auto hidden = in_(x);
  if (!gated_) return out_(tanh_gelu(hidden));
  const auto parts = hidden.chunk(2, -1);
  return out_(torch::silu(parts[0]) * parts[1]);
}

}  // namespace ditscale::worker
