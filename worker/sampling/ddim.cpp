#include <cmath>

#include "worker/sampling/ddpm_grid.hpp"

namespace ditscale::worker {

namespace {

class Ddim : public StepMethod {
 public:
  Ddim(const sweeps::ObjectiveSpec& objective, std::int64_t steps)
      : grid_(objective, NoiseSchedule::make(objective).respaced(steps)) {}

  [[nodiscard]] std::int64_t num_steps() const override { return grid_.size(); }

  [[nodiscard]] SamplerState step(std::int64_t i, const SamplerState& state, const AskModel& ask,
                                  const StepNoise& /*noise*/) const override {
    const std::size_t index = grid_.index_of(i);
    const Estimate estimate = grid_.estimate(state.x, index, ask);
    const double previous = grid_.schedule().alpha_bar_previous[index];
    return {estimate.x0 * std::sqrt(previous) + estimate.noise * std::sqrt(1.0 - previous), estimate.x0};
  }

 private:
  DdpmGrid grid_;
};

}  // namespace

std::unique_ptr<StepMethod> make_ddim(const sweeps::ObjectiveSpec& objective, std::int64_t steps) {
  return std::make_unique<Ddim>(objective, steps);
}

}  // namespace ditscale::worker
