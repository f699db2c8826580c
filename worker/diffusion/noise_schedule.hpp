#pragma once

#include <cstdint>
#include <vector>

namespace ditscale::worker {

/// The tables of a Gaussian diffusion (Ho et al. 2020, "DDPM", equations 2–7), in float64; index i runs over the kept
/// timesteps.
class NoiseSchedule {
 public:
  /// Linear betas from 1e-4 to 2e-2, scaled by 1000 / steps for other step counts.
  [[nodiscard]] static NoiseSchedule linear(std::int64_t num_timesteps);

  /// The same process seen at `steps` of its timesteps: positions i (T - 1) / (steps - 1), rounded half to even, new
  /// betas from the ratios of the kept cumulative products (Nichol & Dhariwal 2021, section 4). The model still
  /// receives original timesteps.
  [[nodiscard]] NoiseSchedule respaced(std::int64_t steps) const;

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(beta.size()); }

  /// Original timestep of each index.
  std::vector<std::int64_t> timestep;
  std::vector<double> beta;
  /// Product of (1 - beta) up to and with the index; of the index before (1 at the first).
  std::vector<double> alpha_bar;
  std::vector<double> alpha_bar_previous;
  /// q(x_{t-1} | x_t, x_0): mean = x0_weight x_0 + xt_weight x_t, and its variance; the log of the first copies the
  /// second's.
  std::vector<double> posterior_x0_weight;
  std::vector<double> posterior_xt_weight;
  std::vector<double> posterior_log_variance;

 private:
  NoiseSchedule(std::vector<double> betas, std::vector<std::int64_t> timesteps);
};

}  // namespace ditscale::worker
