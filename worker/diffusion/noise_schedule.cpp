#include "worker/diffusion/noise_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

std::vector<std::int64_t> all_timesteps(std::size_t count) {
  std::vector<std::int64_t> timesteps(count);
  std::iota(timesteps.begin(), timesteps.end(), std::int64_t{0});
  return timesteps;
}

}  // namespace

NoiseSchedule::NoiseSchedule(std::vector<double> betas, std::vector<std::int64_t> timesteps)
    : timestep(std::move(timesteps)), beta(std::move(betas)) {
  double product = 1.0;
  for (std::size_t i = 0; i < beta.size(); ++i) {
    alpha_bar_previous.push_back(product);
    product *= 1.0 - beta[i];
    alpha_bar.push_back(product);
    const double previous = alpha_bar_previous[i];
    posterior_x0_weight.push_back(beta[i] * std::sqrt(previous) / (1.0 - product));
    posterior_xt_weight.push_back((1.0 - previous) * std::sqrt(1.0 - beta[i]) / (1.0 - product));
    posterior_log_variance.push_back(std::log(beta[i] * (1.0 - previous) / (1.0 - product)));
  }
  // The first posterior variance is zero: its logarithm is clipped to the next one.
  posterior_log_variance[0] = posterior_log_variance[1];
}

NoiseSchedule NoiseSchedule::make(const sweeps::ObjectiveSpec& objective) {
  DITSCALE_CHECK(objective.kind == sweeps::ObjectiveKind::kDdpm, "a flow has no table of timesteps");
  const NoiseSchedule schedule = objective.schedule == sweeps::NoiseScheduleKind::kCosine
                                     ? cosine(objective.num_timesteps)
                                     : linear(objective.num_timesteps);
  return schedule.shifted(objective.shift);
}

NoiseSchedule NoiseSchedule::linear(std::int64_t num_timesteps) {
  DITSCALE_CHECK(num_timesteps >= 2, "a schedule needs two timesteps or more, not {}", num_timesteps);
  const double scale = 1000.0 / static_cast<double>(num_timesteps);
  const double first = scale * 1e-4, last = std::min(scale * 2e-2, 0.999);
  std::vector<double> betas(static_cast<std::size_t>(num_timesteps));
  for (std::size_t i = 0; i < betas.size(); ++i) {
    betas[i] = first + (last - first) * static_cast<double>(i) / static_cast<double>(num_timesteps - 1);
  }
  return {std::move(betas), all_timesteps(static_cast<std::size_t>(num_timesteps))};
}

NoiseSchedule NoiseSchedule::cosine(std::int64_t num_timesteps) {
  DITSCALE_CHECK(num_timesteps >= 2, "a schedule needs two timesteps or more, not {}", num_timesteps);
  constexpr double kOffset = 0.008, kLargestBeta = 0.999;
  const auto signal = [&](std::size_t t) {
    const double u = static_cast<double>(t) / static_cast<double>(num_timesteps);
    const double root = std::cos((u + kOffset) / (1.0 + kOffset) * std::numbers::pi / 2.0);
    return root * root;
  };
  std::vector<double> betas(static_cast<std::size_t>(num_timesteps));
  for (std::size_t i = 0; i < betas.size(); ++i) betas[i] = std::min(1.0 - signal(i + 1) / signal(i), kLargestBeta);
  return {std::move(betas), all_timesteps(static_cast<std::size_t>(num_timesteps))};
}

NoiseSchedule NoiseSchedule::shifted(double shift) const {
  if (shift == 1.0) return *this;
  std::vector<double> betas(beta.size());
  double previous = 1.0;
  for (std::size_t i = 0; i < betas.size(); ++i) {
    const double ratio = signal_to_noise(i) / (shift * shift), kept = ratio / (1.0 + ratio);
    betas[i] = 1.0 - kept / previous;
    previous = kept;
  }
  return {std::move(betas), timestep};
}

template <typename Position>
NoiseSchedule NoiseSchedule::keep(std::int64_t count, Position position) const {
  std::vector<double> betas;
  std::vector<std::int64_t> timesteps;
  double previous = 1.0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto kept = static_cast<std::size_t>(std::nearbyint(position(static_cast<double>(i))));
    betas.push_back(1.0 - alpha_bar[kept] / previous);
    timesteps.push_back(timestep[kept]);
    previous = alpha_bar[kept];
  }
  return {std::move(betas), std::move(timesteps)};
}

NoiseSchedule NoiseSchedule::respaced(std::int64_t steps) const {
  DITSCALE_CHECK(steps >= 2 && steps <= size(), "{} sampling steps of {} timesteps", steps, size());
  const double stride = static_cast<double>(size() - 1) / static_cast<double>(steps - 1);
  return keep(steps, [&](double i) { return stride * i; });
}

NoiseSchedule NoiseSchedule::respaced_above_zero(std::int64_t steps) const {
  DITSCALE_CHECK(steps >= 2 && steps <= size(), "{} sampling steps of {} timesteps", steps, size());
  if (steps == size()) return *this;
  const double stride = static_cast<double>(size() - 1) / static_cast<double>(steps);
  return keep(steps, [&](double i) { return stride * (i + 1); });
}

}  // namespace ditscale::worker
