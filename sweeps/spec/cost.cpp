#include "sweeps/spec/cost.hpp"

#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::sweeps {

namespace {
constexpr double kMacsPerCoreSecond = 2e10;
constexpr double kMacsPerGpuSecond = 1e14;
}  // namespace

std::int64_t num_evaluations(const EvaluateSpec& evaluate, std::int64_t last_step) {
  return (last_step - 1) / evaluate.every_steps + 1;
}

std::vector<std::int64_t> evaluation_steps(const EvaluateSpec& evaluate, std::int64_t last_step) {
  std::vector<std::int64_t> steps;
  for (std::int64_t step = evaluate.every_steps; step < last_step; step += evaluate.every_steps) steps.push_back(step);
  steps.push_back(last_step);
  return steps;
}

double forward_passes(const EvaluateSpec& evaluate) {
  const auto steps = static_cast<double>(evaluate.steps);
  const double passes = evaluate.sampler == SamplerKind::kHeun ? 2 * steps - 1 : steps;
  return evaluate.guidance == 1.0 ? passes : passes * (1.0 + (evaluate.guidance_to - evaluate.guidance_from));
}

double sampling_macs(const TrialSpec& trial, const EvaluateSpec& evaluate) {
  return forward_passes(evaluate) * static_cast<double>(forward_macs(trial.shape())) *
         static_cast<double>(evaluate.num_samples);
}

TrialWork work_of(const TrialSpec& trial) {
  TrialWork work;
  const double images = static_cast<double>(trial.train.steps) * static_cast<double>(trial.train.global_batch);
  work.training_macs = 3.0 * static_cast<double>(forward_macs(trial.shape())) * images;
  for (const EvaluateSpec& evaluate : trial.evaluate) {
    work.sampling_macs +=
        sampling_macs(trial, evaluate) * static_cast<double>(num_evaluations(evaluate, trial.train.steps));
  }
  return work;
}

double predicted_s(const TrialSpec& trial, const Speed& speed) {
  const TrialWork work = work_of(trial);
  const double block_steps = static_cast<double>(trial.train.steps) * static_cast<double>(trial.model.depth);
  return kStartUp_s + (work.training_macs + work.sampling_macs) / speed.macs_per_s + block_steps * speed.block_s;
}

double default_macs_per_s(const ResourceSpec& resources) {
  return resources.gpus > 0 ? kMacsPerGpuSecond * static_cast<double>(resources.gpus)
                            : kMacsPerCoreSecond * static_cast<double>(resources.cpus * resources.num_processes());
}

}  // namespace ditscale::sweeps
