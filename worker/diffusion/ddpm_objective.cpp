#include "worker/diffusion/ddpm_objective.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "worker/diffusion/discretised_gaussian.hpp"

namespace ditscale::worker {

using sweeps::Prediction;
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

}  // namespace

double min_snr_weight(Prediction prediction, double signal_to_noise, double gamma) {
  const double of_image = std::min(signal_to_noise, gamma);
  switch (prediction) {
    case Prediction::kNoise:
      return of_image / signal_to_noise;
    case Prediction::kX0:
      return of_image;
    case Prediction::kV:
      return of_image / (signal_to_noise + 1.0);
  }
  throw common::InternalError("a prediction without a weight");
}

DdpmObjective::DdpmObjective(const sweeps::ObjectiveSpec& spec, torch::Device device)
    : prediction_(spec.prediction), learn_variance_(spec.learn_variance) {
  const NoiseSchedule s = NoiseSchedule::make(spec);
  const auto table = [&](auto value) { return make_table(s, device, value); };
  signal_ = table([&](std::size_t i) { return std::sqrt(s.alpha_bar[i]); });
  noise_ = table([&](std::size_t i) { return std::sqrt(1.0 - s.alpha_bar[i]); });
  x0_from_xt_ = table([&](std::size_t i) { return std::sqrt(1.0 / s.alpha_bar[i]); });
  x0_from_noise_ = table([&](std::size_t i) { return std::sqrt(1.0 / s.alpha_bar[i] - 1.0); });
  mean_from_x0_ = table([&](std::size_t i) { return s.posterior_x0_weight[i]; });
  mean_from_xt_ = table([&](std::size_t i) { return s.posterior_xt_weight[i]; });
  log_beta_ = table([&](std::size_t i) { return std::log(s.beta[i]); });
  posterior_log_variance_ = table([&](std::size_t i) { return s.posterior_log_variance[i]; });
  if (spec.min_snr_gamma) {
    weight_ = table(
        [&](std::size_t i) { return min_snr_weight(spec.prediction, s.signal_to_noise(i), *spec.min_snr_gamma); });
  }
}

Tensor DdpmObjective::at(const Tensor& table, const Tensor& t) const {
  return table.index_select(0, t).view({-1, 1, 1, 1});
}

NoiseLevel<Tensor> DdpmObjective::level(const Tensor& t) const {
  return {at(signal_, t), at(noise_, t), at(x0_from_xt_, t), at(x0_from_noise_, t)};
}

Tensor DdpmObjective::add_noise(const Tensor& x0, const Tensor& noise, const Tensor& t) const {
  return at(signal_, t) * x0 + at(noise_, t) * noise;
}

Tensor DdpmObjective::variational_bits(const Tensor& predicted, const Tensor& variance_output, const Tensor& x0,
                                       const Tensor& xt, const Tensor& t) const {
  const auto true_log_variance = at(posterior_log_variance_, t);
  const auto true_mean = at(mean_from_x0_, t) * x0 + at(mean_from_xt_, t) * xt;
  const auto predicted_x0 = implied_x0(prediction_, level(t), xt, predicted);
  const auto mean = at(mean_from_x0_, t) * predicted_x0 + at(mean_from_xt_, t) * xt;
  const auto fraction = (variance_output + 1) * 0.5;
  const auto log_variance = fraction * at(log_beta_, t) + (1 - fraction) * true_log_variance;

  const auto kl = 0.5 * (-1.0 + log_variance - true_log_variance + torch::exp(true_log_variance - log_variance) +
                         (true_mean - mean).square() * torch::exp(-log_variance));
  auto nats = image_mean(kl);
  // A GPU is not waited for to find out.
  if (t.is_cuda() || (t == 0).any().item<bool>()) {
    const auto likelihood = discretised_gaussian_log_likelihood(x0, mean, 0.5 * log_variance);
    nats = torch::where(t == 0, -image_mean(likelihood), nats);
  }
  return nats * (1.0 / std::numbers::ln2);
}

DiffusionLoss DdpmObjective::loss(const Tensor& output, const Tensor& x0, const Tensor& xt, const Tensor& noise,
                                  const Tensor& t) const {
  DiffusionLoss result;
  const auto channels = x0.size(1);
  const auto predicted = output.narrow(1, 0, channels);
  result.simple = image_mean((predicted - prediction_target(prediction_, level(t), x0, noise)).square());
  result.total = weight_.defined() ? weight_.index_select(0, t) * result.simple : result.simple;
  if (learn_variance_) {
    result.vlb = variational_bits(predicted.detach(), output.narrow(1, channels, channels), x0, xt, t);
    result.total = result.total + result.vlb;
  }
  return result;
}

}  // namespace ditscale::worker
