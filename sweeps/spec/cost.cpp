#include "sweeps/spec/cost.hpp"

#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::sweeps {

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

DeviceShare devices_of(const ResourceSpec& resources) {
  return {resources.num_processes(), resources.cpus, resources.gpus, {}};
}

double predicted_s(const TrialSpec& trial, const Speed& speed, DeviceShare devices) {
  devices.gpu_name = speed.gpu_name;
  return predicted_s(roofline(trial, work_of(trial), devices), speed);
}

double predicted_s(const TrialSpec& trial, const Speed& speed) {
  return predicted_s(trial, speed, devices_of(trial.resources));
}

}  // namespace ditscale::sweeps
