#include "worker/diffusion/objective.hpp"

#include "worker/diffusion/ddpm_objective.hpp"
#include "worker/diffusion/flow_objective.hpp"

namespace ditscale::worker {

std::unique_ptr<Objective> make_objective(const sweeps::ObjectiveSpec& spec, torch::Device device) {
  if (spec.kind == sweeps::ObjectiveKind::kFlow) return std::make_unique<FlowObjective>(spec);
  return std::make_unique<DdpmObjective>(spec, device);
}

}  // namespace ditscale::worker
