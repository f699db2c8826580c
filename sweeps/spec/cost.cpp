#include "sweeps/spec/cost.hpp"

#include <utility>

#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::sweeps {

namespace {

/// The Stable Diffusion VAE's decoder (Rombach et al. 2022; widths 512, 512, 256, 128), of each pixel of the latent:
/// its convolutions and the middle's four projections. At 256 x 256 the whole is 311 GMACs.
constexpr double kDecoderMacsPerPixel = 302'753'808;
/// Of the middle's attention, twice its width, of each pair of pixels.
constexpr double kDecoderMacsPerPair = 2 * 512;
/// Inception-v3 at 299 x 299 (torchvision's table: 5.71 GMACs).
constexpr double kInceptionMacs = 5.71e9;
/// The embedded Fashion-MNIST classifier: three convolutions and a layer of features.
constexpr double kFashionCnnMacs = 2.0e6;

double decoder_macs(const TrialSpec& trial) {
  if (trial.data.space != DataSpace::kLatents) return 0;
  const auto side = static_cast<double>(trial.input().size);
  const double pixels = side * side;
  return pixels * (kDecoderMacsPerPixel + kDecoderMacsPerPair * pixels);
}

double feature_macs(const EvaluateSpec& evaluate) {
  if (evaluate.features == "inception") return kInceptionMacs;
  return evaluate.features == "fashion_cnn" ? kFashionCnnMacs : 0;
}

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

double helper_macs(const TrialSpec& trial, const EvaluateSpec& evaluate) {
  return (decoder_macs(trial) + feature_macs(evaluate)) * static_cast<double>(evaluate.num_samples);
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

double TrialTime::whole_s(const TrialSpec& trial) const {
  double seconds = kStartUp_s + training_s;
  for (std::size_t i = 0; i < score_s.size(); ++i) {
    seconds += score_s[i] * static_cast<double>(num_evaluations(trial.evaluate[i], trial.train.steps));
  }
  return seconds;
}

TrialTime time_of(const TrialSpec& trial, const Speed& speed, DeviceShare devices) {
  devices.gpu_name = speed.gpu_name;
  const auto seconds = [&](const TrialSpec& part, const TrialWork& work) {
    return predicted_s(roofline(part, work, devices), speed) - kStartUp_s;
  };
  TrialTime time;
  time.training_s = seconds(trial, {work_of(trial).training_macs, 0});
  if (trial.evaluate.empty()) return time;
  TrialSpec alone = trial;
  for (const EvaluateSpec& evaluate : trial.evaluate) {
    alone.evaluate = {evaluate};
    time.score_s.push_back(seconds(alone, {0, sampling_macs(trial, evaluate)}));
  }
  return time;
}

double predicted_s(const TrialSpec& trial, const Speed& speed, DeviceShare devices) {
  return time_of(trial, speed, std::move(devices)).whole_s(trial);
}

double predicted_s(const TrialSpec& trial, const Speed& speed) {
  return predicted_s(trial, speed, devices_of(trial.resources));
}

}  // namespace ditscale::sweeps
