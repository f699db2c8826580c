#include "worker/diffusion/flow_objective.hpp"

namespace ditscale::worker {

using torch::Tensor;

FlowObjective::FlowObjective(const sweeps::ObjectiveSpec& spec)
    : num_timesteps_(static_cast<double>(spec.num_timesteps)) {}

Tensor FlowObjective::add_noise(const Tensor& x0, const Tensor& noise, const Tensor& t) const {
  const auto share = t.view({-1, 1, 1, 1});
  return (1 - share) * x0 + share * noise;
}

Tensor FlowObjective::model_time(const Tensor& t) const { return t * num_timesteps_; }

DiffusionLoss FlowObjective::loss(const Tensor& output, const Tensor& x0, const Tensor& /*xt*/, const Tensor& noise,
                                  const Tensor& /*t*/) const {
  DiffusionLoss result;
  result.simple = (output - (noise - x0)).square().flatten(1).mean(1);
  result.total = result.simple;
  return result;
}

}  // namespace ditscale::worker
