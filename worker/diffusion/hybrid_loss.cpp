#include "worker/diffusion/hybrid_loss.hpp"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace ditscale::worker {

using torch::Tensor;

namespace {

/// A float32 table made in float64 by `value(i)`.
template <typename Value>
Tensor make_table(const NoiseSchedule& schedule, torch::Device device, Value value) {
  auto table = torch::empty({schedule.size()}, torch::kFloat64);
  auto* out = table.data_ptr<double>();
  for (std::int64_t i = 0; i < schedule.size(); ++i) out[i] = value(static_cast<std::size_t>(i));
  return table.to(torch::kFloat32).to(device);
}

Tensor image_mean(const Tensor& x) { return x.flatten(1).mean(1); }

/// Standard normal distribution function.
Tensor normal_cdf(const Tensor& x) { return 0.5 * (1.0 + torch::erf(x * (1.0 / std::numbers::sqrt2))); }

}  // namespace

Tensor discretised_gaussian_log_likelihood(const Tensor& x, const Tensor& mean, const Tensor& log_scale) {
  constexpr double kHalfBin = 1.0 / 255.0, kTail = 0.999, kFloor = 1e-12;
  const auto inverse_scale = torch::exp(-log_scale);
  const auto upper = normal_cdf((x - mean + kHalfBin) * inverse_scale);
  const auto lower = normal_cdf((x - mean - kHalfBin) * inverse_scale);
  const auto inside = (upper - lower).clamp_min(kFloor).log();
  const auto left_tail = upper.clamp_min(kFloor).log();
  const auto right_tail = (1.0 - lower).clamp_min(kFloor).log();
  return torch::where(x < -kTail, left_tail, torch::where(x > kTail, right_tail, inside));
}

DiffusionObjective::DiffusionObjective(NoiseSchedule schedule, bool learn_variance, torch::Device device)
    : schedule_(std::move(schedule)), learn_variance_(learn_variance) {
  const auto table = [&](auto value) { return make_table(schedule_, device, value); };
  const auto& s = schedule_;
  signal_ = table([&](std::size_t i) { return std::sqrt(s.alpha_bar[i]); });
  noise_ = table([&](std::size_t i) { return std::sqrt(1.0 - s.alpha_bar[i]); });
  x0_from_xt_ = table([&](std::size_t i) { return std::sqrt(1.0 / s.alpha_bar[i]); });
  x0_from_noise_ = table([&](std::size_t i) { return std::sqrt(1.0 / s.alpha_bar[i] - 1.0); });
  mean_from_x0_ = table([&](std::size_t i) { return s.posterior_x0_weight[i]; });
  mean_from_xt_ = table([&](std::size_t i) { return s.posterior_xt_weight[i]; });
  log_beta_ = table([&](std::size_t i) { return std::log(s.beta[i]); });
  posterior_log_variance_ = table([&](std::size_t i) { return s.posterior_log_variance[i]; });
}

Tensor DiffusionObjective::at(const Tensor& table, const Tensor& t) const {
  return table.index_select(0, t).view({-1, 1, 1, 1});
}

Tensor DiffusionObjective::add_noise(const Tensor& x0, const Tensor& noise, const Tensor& t) const {
  return at(signal_, t) * x0 + at(noise_, t) * noise;
}

Tensor DiffusionObjective::variational_bits(const Tensor& predicted_noise, const Tensor& variance_output,
                                            const Tensor& x0, const Tensor& xt, const Tensor& t) const {
  const auto true_log_variance = at(posterior_log_variance_, t);
  const auto true_mean = at(mean_from_x0_, t) * x0 + at(mean_from_xt_, t) * xt;
  const auto predicted_x0 = at(x0_from_xt_, t) * xt - at(x0_from_noise_, t) * predicted_noise;
  const auto mean = at(mean_from_x0_, t) * predicted_x0 + at(mean_from_xt_, t) * xt;
  const auto fraction = (variance_output + 1) * 0.5;
  const auto log_variance = fraction * at(log_beta_, t) + (1 - fraction) * true_log_variance;

  const auto kl = 0.5 * (-1.0 + log_variance - true_log_variance + torch::exp(true_log_variance - log_variance) +
                         (true_mean - mean).square() * torch::exp(-log_variance));
  auto nats = image_mean(kl);
  if ((t == 0).any().item<bool>()) {
    const auto likelihood = discretised_gaussian_log_likelihood(x0, mean, 0.5 * log_variance);
    nats = torch::where(t == 0, -image_mean(likelihood), nats);
  }
  return nats * (1.0 / std::numbers::ln2);
}

DiffusionLoss DiffusionObjective::loss(const Tensor& output, const Tensor& x0, const Tensor& xt, const Tensor& noise,
                                       const Tensor& t) const {
  DiffusionLoss result;
  const auto channels = x0.size(1);
  const auto predicted = output.narrow(1, 0, channels);
  result.simple = image_mean((predicted - noise).square());
  result.total = result.simple;
  if (learn_variance_) {
    result.vlb = variational_bits(predicted.detach(), output.narrow(1, channels, channels), x0, xt, t);
    result.total = result.simple + result.vlb;
  }
  return result;
}

}  // namespace ditscale::worker
