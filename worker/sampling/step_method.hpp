#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "sweeps/spec/evaluate_spec.hpp"
#include "sweeps/spec/objective_spec.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// The model's output, guidance included, at x (N, C, S, S) and a time as the model is shown it: (N, O, S, S).
using AskModel = std::function<torch::Tensor(const torch::Tensor& x, double model_time)>;
/// Standard normals of x's shape, the stream numbered `step`.
using StepNoise = std::function<torch::Tensor(std::uint32_t step)>;

/// What one step hands to the next.
struct SamplerState {
  torch::Tensor x;  // (N, C, S, S)
  /// The x_0 that the step before predicted; read by multistep methods, undefined before the first step.
  torch::Tensor previous_x0;
};

/// One way from noise to data on a fixed grid of times. Steps are pure: they depend on nothing but what they are given.
class StepMethod {
 public:
  virtual ~StepMethod() = default;
  [[nodiscard]] virtual std::int64_t num_steps() const = 0;
  /// Step `i` of 0 (from pure noise) … num_steps() - 1 (to the image).
  [[nodiscard]] virtual SamplerState step(std::int64_t i, const SamplerState& state, const AskModel& ask,
                                          const StepNoise& noise) const = 0;
};

/// The method of this name on `steps` steps. Throws ConfigError when the objective has no such sampler, or fewer
/// timesteps.
[[nodiscard]] std::unique_ptr<StepMethod> make_step_method(const sweeps::ObjectiveSpec& objective,
                                                           sweeps::SamplerKind sampler, std::int64_t steps);

/// Each makes one method; see make_step_method.

/// Ancestral steps over respaced timesteps (Ho et al. 2020, algorithm 2), with the variance the model learned, else
/// beta or the posterior's; none at the last step.
[[nodiscard]] std::unique_ptr<StepMethod> make_ddpm(const sweeps::ObjectiveSpec& objective, std::int64_t steps);
/// Deterministic steps over respaced timesteps (Song et al. 2021, equation 12, eta 0).
[[nodiscard]] std::unique_ptr<StepMethod> make_ddim(const sweeps::ObjectiveSpec& objective, std::int64_t steps);
/// DPM-Solver++ 2M (Lu et al. 2022, algorithm 2) over respaced timesteps without 0: the first step, which has no
/// predecessor, and the last, which ends without noise, are of first order.
[[nodiscard]] std::unique_ptr<StepMethod> make_dpm_solver(const sweeps::ObjectiveSpec& objective, std::int64_t steps);
/// Euler's steps along a flow's velocity, times uniform from 1 to 0, shifted as in training.
[[nodiscard]] std::unique_ptr<StepMethod> make_euler(const sweeps::ObjectiveSpec& objective, std::int64_t steps);
/// Heun's steps over the same times: two evaluations each, the last step Euler's.
[[nodiscard]] std::unique_ptr<StepMethod> make_heun(const sweeps::ObjectiveSpec& objective, std::int64_t steps);

}  // namespace ditscale::worker
