#include "worker/sampling/sampler.hpp"

#include <utility>

#include "worker/random/normal_batch.hpp"

namespace ditscale::worker {

using torch::Tensor;

namespace {

Network network_of(const DiT& model) {
  if (model.is_empty()) return {};
  return [network = DiT(model)](const Tensor& x, const Tensor& t, const Conditions& conditions) mutable {
    return network->forward(x, t, conditions.labels, conditions.context);
  };
}

}  // namespace

Tensor to_bytes(const Tensor& x) { return (x * 127.5 + 128.0).clamp(0, 255).to(torch::kUInt8); }

SamplerSettings sampler_settings(const sweeps::EvaluateSpec& evaluate) {
  return {evaluate.sampler,
          evaluate.steps,
          {evaluate.guidance, evaluate.guidance_channels, evaluate.guidance_from, evaluate.guidance_to},
          static_cast<std::uint64_t>(evaluate.sample_seed)};
}

Sampler::Sampler(const DiT& model, const sweeps::ObjectiveSpec& objective, const SamplerSettings& settings,
                 torch::Device device, const DiT& guide)
    : Sampler(network_of(model), network_of(guide), model->shape(), objective, settings, device) {}

Sampler::Sampler(Network network, Network guide, const sweeps::ModelShape& shape,
                 const sweeps::ObjectiveSpec& objective, const SamplerSettings& settings, torch::Device device)
    : input_(shape.input),
      model_(std::move(network), std::move(guide), shape, settings.guidance, objective.num_timesteps),
      method_(make_step_method(objective, settings.sampler, settings.steps)),
      seed_(settings.seed),
      device_(device) {}

Tensor Sampler::labels(sweeps::SampleLabels scheme, std::int64_t first, std::int64_t count) const {
  Tensor labels = torch::zeros({count}, torch::kInt64);
  if (input_.num_classes == 0) return labels;
  if (scheme == sweeps::SampleLabels::kBalanced)
    return torch::arange(first, first + count, torch::kInt64).remainder(input_.num_classes);
  for (std::int64_t i = 0; i < count; ++i) {
    const PhiloxStream stream(seed_, Purpose::kSampleLabel, static_cast<std::uint64_t>(first + i));
    labels.data_ptr<std::int64_t>()[i] = stream.below(input_.num_classes);
  }
  return labels;
}

Tensor Sampler::normals(Purpose purpose, std::int64_t first, std::int64_t count, std::uint32_t step) const {
  return normal_batch(seed_, purpose, first, count, {input_.channels, input_.size, input_.size}, step).to(device_);
}

Tensor Sampler::sample(std::int64_t first, const Tensor& labels, const Tensor& context, const Observer& observe) const {
  const torch::NoGradGuard no_grad;
  const auto count = labels.size(0);
  const Conditions conditions{labels.to(device_), context.defined() ? context.to(device_) : context};
  const AskModel ask = [&](const Tensor& x, double time) { return model_.output(x, time, conditions); };
  const StepNoise noise = [&](std::uint32_t step) { return normals(Purpose::kSampleStep, first, count, step); };
  SamplerState state{normals(Purpose::kSampleStart, first, count, 0), {}};
  if (observe) observe(0, state.x);
  for (std::int64_t i = 0; i < method_->num_steps(); ++i) {
    state = method_->step(i, state, ask, noise);
    if (observe) observe(i + 1, state.x);
  }
  return state.x;
}

}  // namespace ditscale::worker
