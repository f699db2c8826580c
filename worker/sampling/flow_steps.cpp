#include "worker/diffusion/training_times.hpp"
#include "worker/sampling/step_method.hpp"

namespace ditscale::worker {

using torch::Tensor;

namespace {

/// A flow's times from noise to data.
class FlowSteps : public StepMethod {
 public:
  FlowSteps(const sweeps::ObjectiveSpec& objective, std::int64_t steps)
      : steps_(steps), shift_(objective.shift), num_timesteps_(static_cast<double>(objective.num_timesteps)) {}

  [[nodiscard]] std::int64_t num_steps() const override { return steps_; }

 protected:
  /// Time before step i; 0 after the last.
  [[nodiscard]] double time(std::int64_t i) const {
    return shifted_time(static_cast<double>(steps_ - i) / static_cast<double>(steps_), shift_);
  }
  [[nodiscard]] Tensor velocity(const Tensor& x, double t, const AskModel& ask) const {
    return ask(x, t * num_timesteps_);
  }

 private:
  std::int64_t steps_;
  double shift_;
  double num_timesteps_;
};

class Euler : public FlowSteps {
 public:
  using FlowSteps::FlowSteps;

  [[nodiscard]] SamplerState step(std::int64_t i, const SamplerState& state, const AskModel& ask,
                                  const StepNoise& /*noise*/) const override {
    return {state.x + (time(i + 1) - time(i)) * velocity(state.x, time(i), ask), {}};
  }
};

class Heun : public FlowSteps {
 public:
  using FlowSteps::FlowSteps;

  [[nodiscard]] SamplerState step(std::int64_t i, const SamplerState& state, const AskModel& ask,
                                  const StepNoise& /*noise*/) const override {
    const double length = time(i + 1) - time(i);
    const auto first = velocity(state.x, time(i), ask);
    const auto ahead = state.x + length * first;
    if (i == num_steps() - 1) return {ahead, {}};
    const auto second = velocity(ahead, time(i + 1), ask);
    return {state.x + length * 0.5 * (first + second), {}};
  }
};

}  // namespace

std::unique_ptr<StepMethod> make_euler(const sweeps::ObjectiveSpec& objective, std::int64_t steps) {
  return std::make_unique<Euler>(objective, steps);
}

std::unique_ptr<StepMethod> make_heun(const sweeps::ObjectiveSpec& objective, std::int64_t steps) {
  return std::make_unique<Heun>(objective, steps);
}

}  // namespace ditscale::worker
