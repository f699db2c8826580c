#include "common/error.hpp"
#include "worker/sampling/step_method.hpp"

namespace ditscale::worker {

using sweeps::ObjectiveKind;
using sweeps::SamplerKind;

namespace {

void check(const sweeps::ObjectiveSpec& objective, SamplerKind sampler, std::int64_t steps) {
  const bool flow = objective.kind == ObjectiveKind::kFlow;
  const bool of_flows = sampler == SamplerKind::kEuler || sampler == SamplerKind::kHeun;
  if (flow != of_flows) {
    throw common::ConfigError(fmt::format("sampler {} does not fit a {} model; allowed: {}", sweeps::to_name(sampler),
                                          sweeps::to_name(objective.kind),
                                          flow ? "euler, heun" : "ddpm, ddim, dpm_solver"));
  }
  if (!flow && (steps < 2 || steps > objective.num_timesteps)) {
    throw common::ConfigError(fmt::format("{} sampling steps: a model trained with {} timesteps takes 2 to {}", steps,
                                          objective.num_timesteps, objective.num_timesteps));
  }
  if (flow && steps < 1) throw common::ConfigError(fmt::format("{} sampling steps: one or more are needed", steps));
}

}  // namespace

std::unique_ptr<StepMethod> make_step_method(const sweeps::ObjectiveSpec& objective, SamplerKind sampler,
                                             std::int64_t steps) {
  check(objective, sampler, steps);
  switch (sampler) {
    case SamplerKind::kDdpm:
      return make_ddpm(objective, steps);
    case SamplerKind::kDdim:
      return make_ddim(objective, steps);
    case SamplerKind::kDpmSolver:
      return make_dpm_solver(objective, steps);
    case SamplerKind::kEuler:
      return make_euler(objective, steps);
    case SamplerKind::kHeun:
      return make_heun(objective, steps);
  }
  throw common::InternalError("a sampler without a method");
}

}  // namespace ditscale::worker
