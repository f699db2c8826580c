#pragma once

#include <cstdint>
#include <vector>

#include "sweeps/spec/objective_spec.hpp"

namespace ditscale::worker {

/// The tables of a Gaussian diffusion (Ho et al. 2020, "DDPM", equations 2–7), in float64; index i runs over the kept
/// timesteps.
class NoiseSchedule {
 public:
  /// The schedule of a ddpm objective, shift included.
  [[nodiscard]] static NoiseSchedule make(const sweeps::ObjectiveSpec& objective);

  /// Linear betas from 1e-4 to 2e-2, scaled by 1000 / steps for other step counts.
  [[nodiscard]] static NoiseSchedule linear(std::int64_t num_timesteps);

  /// alpha_bar(u) proportional to cos²((u + 0.008) / 1.008 · π / 2), u = t / T; betas from its ratios, at most 0.999
  /// (Nichol & Dhariwal 2021, equation 17).
  [[nodiscard]] static NoiseSchedule cosine(std::int64_t num_timesteps);

  /// The same timesteps with every signal-to-noise ratio alpha_bar / (1 - alpha_bar) divided by shift² (Hoogeboom et
  /// al. 2023, equation 5). A shift of 1 changes no bit.
  [[nodiscard]] NoiseSchedule shifted(double shift) const;

  /// The same process seen at `steps` of its timesteps: positions i (T - 1) / (steps - 1), rounded half to even, new
  /// betas from the ratios of the kept cumulative products (Nichol & Dhariwal 2021, section 4). The model still
  /// receives original timesteps.
  [[nodiscard]] NoiseSchedule respaced(std::int64_t steps) const;

  /// The same without timestep 0: positions i (T - 1) / steps for i = 1 … steps; all of them when steps is T. For
  /// solvers of second order: from the timestep before to 0 the signal-to-noise ratio grows by a multiple of what it
  /// grew by in the steps before, too far to extrapolate.
  [[nodiscard]] NoiseSchedule respaced_above_zero(std::int64_t steps) const;

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(beta.size()); }
  /// alpha_bar / (1 - alpha_bar).
  [[nodiscard]] double signal_to_noise(std::size_t index) const { return alpha_bar[index] / (1.0 - alpha_bar[index]); }

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
  /// The process seen at `count` of its indices, number i being `position(i)`, rounded half to even.
  template <typename Position>
  [[nodiscard]] NoiseSchedule keep(std::int64_t count, Position position) const;
};

}  // namespace ditscale::worker
