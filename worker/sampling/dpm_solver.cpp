#include <cmath>

#include "worker/sampling/ddpm_grid.hpp"

namespace ditscale::worker {

namespace {

class DpmSolver : public StepMethod {
 public:
  DpmSolver(const sweeps::ObjectiveSpec& objective, std::int64_t steps)
      : grid_(objective, NoiseSchedule::make(objective).respaced_above_zero(steps)) {}

  [[nodiscard]] std::int64_t num_steps() const override { return grid_.size(); }

  [[nodiscard]] SamplerState step(std::int64_t i, const SamplerState& state, const AskModel& ask,
                                  const StepNoise& /*noise*/) const override {
    const std::size_t index = grid_.index_of(i);
    const auto x0 = grid_.estimate(state.x, index, ask).x0;
    if (index == 0) return {x0, x0};  // to no noise at all the step is infinitely long
    auto slope = x0;
    if (state.previous_x0.defined()) {
      const double ratio = (lambda(index) - lambda(index + 1)) / (lambda(index - 1) - lambda(index));
      slope = (1.0 + 0.5 / ratio) * x0 - (0.5 / ratio) * state.previous_x0;
    }
    const double growth = std::expm1(lambda(index) - lambda(index - 1));  // e^-h - 1
    return {deviation(index - 1) / deviation(index) * state.x - signal(index - 1) * growth * slope, x0};
  }

 private:
  [[nodiscard]] double signal(std::size_t index) const { return std::sqrt(grid_.schedule().alpha_bar[index]); }
  [[nodiscard]] double deviation(std::size_t index) const { return std::sqrt(1.0 - grid_.schedule().alpha_bar[index]); }
  /// Half the logarithm of the signal-to-noise ratio: the solver's clock.
  [[nodiscard]] double lambda(std::size_t index) const {
    return 0.5 * std::log(grid_.schedule().signal_to_noise(index));
  }

  DdpmGrid grid_;
};

}  // namespace

std::unique_ptr<StepMethod> make_dpm_solver(const sweeps::ObjectiveSpec& objective, std::int64_t steps) {
  return std::make_unique<DpmSolver>(objective, steps);
}

}  // namespace ditscale::worker
