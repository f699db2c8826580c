#include "worker/diffusion/noise_schedule.hpp"

#include <cmath>
#include <numeric>
#include <utility>

#include "common/error.hpp"

namespace ditscale::worker {

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

NoiseSchedule NoiseSchedule::linear(std::int64_t num_timesteps) {
  DITSCALE_CHECK(num_timesteps >= 2, "a schedule needs two timesteps or more, not {}", num_timesteps);
  const double scale = 1000.0 / static_cast<double>(num_timesteps);
  const double first = scale * 1e-4, last = std::min(scale * 2e-2, 0.999);
  std::vector<double> betas(static_cast<std::size_t>(num_timesteps));
  for (std::size_t i = 0; i < betas.size(); ++i) {
    betas[i] = first + (last - first) * static_cast<double>(i) / static_cast<double>(num_timesteps - 1);
  }
  std::vector<std::int64_t> timesteps(betas.size());
  std::iota(timesteps.begin(), timesteps.end(), std::int64_t{0});
  return {std::move(betas), std::move(timesteps)};
}

NoiseSchedule NoiseSchedule::respaced(std::int64_t steps) const {
  DITSCALE_CHECK(steps >= 2 && steps <= size(), "{} sampling steps of {} timesteps", steps, size());
  const double stride = static_cast<double>(size() - 1) / static_cast<double>(steps - 1);
  std::vector<double> betas;
  std::vector<std::int64_t> timesteps;
  double previous = 1.0;
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto kept = static_cast<std::size_t>(std::nearbyint(stride * static_cast<double>(i)));  // half to even
    betas.push_back(1.0 - alpha_bar[kept] / previous);
    timesteps.push_back(timestep[kept]);
    previous = alpha_bar[kept];
  }
  return {std::move(betas), std::move(timesteps)};
}

}  // namespace ditscale::worker
