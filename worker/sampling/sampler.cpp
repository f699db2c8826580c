#include "worker/sampling/sampler.hpp"

#include <cmath>
#include <utility>

#include "common/error.hpp"
#include "worker/random/normal_batch.hpp"

namespace ditscale::worker {

using torch::Tensor;

Tensor to_bytes(const Tensor& x) { return (x * 127.5 + 128.0).clamp(0, 255).to(torch::kUInt8); }

Sampler::Sampler(DiT model, const NoiseSchedule& schedule, SamplerSettings settings, torch::Device device)
    : model_(std::move(model)),
      schedule_(schedule.respaced(settings.steps)),
      settings_(std::move(settings)),
      device_(device) {
  DITSCALE_CHECK(settings_.sampler == "ddpm" || settings_.sampler == "ddim", "sampler {}", settings_.sampler);
  if (settings_.guidance != 1.0 && model_->shape().model.class_dropout == 0.0) {
    throw common::ConfigError(
        "guidance needs a model trained with dropped labels; this one has class_dropout 0: use guidance 1");
  }
}

Tensor Sampler::uniform_labels(std::int64_t first, std::int64_t count) const {
  Tensor labels = torch::empty({count}, torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i) {
    const PhiloxStream stream(settings_.seed, Purpose::kSampleLabel, static_cast<std::uint64_t>(first + i));
    labels.data_ptr<std::int64_t>()[i] = stream.below(model_->shape().input.num_classes);
  }
  return labels;
}

Tensor Sampler::normals(Purpose purpose, std::int64_t first, std::int64_t count, std::uint32_t step) const {
  const sweeps::InputSpec& input = model_->shape().input;
  return normal_batch(settings_.seed, purpose, first, count, {input.channels, input.size, input.size}, step)
      .to(device_);
}

Tensor Sampler::predict(const Tensor& x, std::int64_t timestep, const Tensor& labels) const {
  const auto n = x.size(0), channels = x.size(1);
  const auto t = torch::full({n}, timestep, torch::dtype(torch::kInt64).device(device_));
  if (settings_.guidance == 1.0) return model_->forward(x, t, labels);
  const auto null_labels = torch::full_like(labels, model_->null_label());
  const auto both = model_->forward(torch::cat({x, x}), torch::cat({t, t}), torch::cat({labels, null_labels}));
  const auto conditional = both.narrow(0, 0, n), unconditional = both.narrow(0, n, n);
  const auto noise_c = conditional.narrow(1, 0, channels), noise_u = unconditional.narrow(1, 0, channels);
  const auto guided = noise_u + settings_.guidance * (noise_c - noise_u);
  return torch::cat({guided, conditional.narrow(1, channels, conditional.size(1) - channels)}, 1);
}

Tensor Sampler::predicted_x0(const Tensor& x, const Tensor& noise, std::int64_t index) const {
  const double alpha_bar = schedule_.alpha_bar[static_cast<std::size_t>(index)];
  return x * std::sqrt(1.0 / alpha_bar) - noise * std::sqrt(1.0 / alpha_bar - 1.0);
}

Tensor Sampler::ddpm_step(const Tensor& x, const Tensor& output, std::int64_t index, std::int64_t first) const {
  const auto i = static_cast<std::size_t>(index);
  const auto channels = x.size(1);
  const auto x0 = predicted_x0(x, output.narrow(1, 0, channels), index);
  const auto mean = x0 * schedule_.posterior_x0_weight[i] + x * schedule_.posterior_xt_weight[i];
  if (index == 0) return mean;
  const double low = schedule_.posterior_log_variance[i], high = std::log(schedule_.beta[i]);
  const auto noise = normals(Purpose::kSampleStep, first, x.size(0), static_cast<std::uint32_t>(index));
  if (!model_->shape().learn_variance) return mean + std::exp(0.5 * high) * noise;  // fixed, large
  const auto fraction = (output.narrow(1, channels, channels) + 1) * 0.5;
  return mean + torch::exp(0.5 * (fraction * high + (1 - fraction) * low)) * noise;
}

Tensor Sampler::ddim_step(const Tensor& x, const Tensor& output, std::int64_t index) const {
  const auto noise = output.narrow(1, 0, x.size(1));
  const double previous = schedule_.alpha_bar_previous[static_cast<std::size_t>(index)];
  return predicted_x0(x, noise, index) * std::sqrt(previous) + noise * std::sqrt(1.0 - previous);
}

Tensor Sampler::sample(std::int64_t first, const Tensor& labels_in) const {
  const torch::NoGradGuard no_grad;
  const auto labels = labels_in.to(device_);
  Tensor x = normals(Purpose::kSampleStart, first, labels.size(0), 0);
  for (std::int64_t index = schedule_.size() - 1; index >= 0; --index) {
    const auto output = predict(x, schedule_.timestep[static_cast<std::size_t>(index)], labels);
    x = settings_.sampler == "ddim" ? ddim_step(x, output, index) : ddpm_step(x, output, index, first);
  }
  return x;
}

}  // namespace ditscale::worker
