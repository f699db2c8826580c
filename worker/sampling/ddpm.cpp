#include <cmath>

#include "worker/sampling/ddpm_grid.hpp"

namespace ditscale::worker {

using torch::Tensor;

namespace {

class Ddpm : public StepMethod {
 public:
  Ddpm(const sweeps::ObjectiveSpec& objective, std::int64_t steps)
      : grid_(objective, NoiseSchedule::make(objective).respaced(steps)), fixed_variance_(objective.fixed_variance) {}

  [[nodiscard]] std::int64_t num_steps() const override { return grid_.size(); }

  [[nodiscard]] SamplerState step(std::int64_t i, const SamplerState& state, const AskModel& ask,
                                  const StepNoise& noise) const override {
    const NoiseSchedule& s = grid_.schedule();
    const std::size_t index = grid_.index_of(i);
    const Estimate estimate = grid_.estimate(state.x, index, ask);
    const auto mean = estimate.x0 * s.posterior_x0_weight[index] + state.x * s.posterior_xt_weight[index];
    if (index == 0) return {mean, estimate.x0};
    return {mean + scaled(noise(static_cast<std::uint32_t>(index)), estimate.variance, index), estimate.x0};
  }

 private:
  /// Standard normals times the step's deviation.
  [[nodiscard]] Tensor scaled(const Tensor& noise, const Tensor& variance, std::size_t index) const {
    const double low = grid_.schedule().posterior_log_variance[index], high = std::log(grid_.schedule().beta[index]);
    if (!variance.defined())
      return std::exp(0.5 * (fixed_variance_ == sweeps::FixedVariance::kLarge ? high : low)) * noise;
    const auto fraction = (variance + 1) * 0.5;
    return torch::exp(0.5 * (fraction * high + (1 - fraction) * low)) * noise;
  }

  DdpmGrid grid_;
  sweeps::FixedVariance fixed_variance_;
};

}  // namespace

std::unique_ptr<StepMethod> make_ddpm(const sweeps::ObjectiveSpec& objective, std::int64_t steps) {
  return std::make_unique<Ddpm>(objective, steps);
}

}  // namespace ditscale::worker
