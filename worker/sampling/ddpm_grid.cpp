#include "worker/sampling/ddpm_grid.hpp"

#include <cmath>
#include <utility>

namespace ditscale::worker {

DdpmGrid::DdpmGrid(const sweeps::ObjectiveSpec& objective, NoiseSchedule schedule)
    : schedule_(std::move(schedule)), prediction_(objective.prediction), learn_variance_(objective.learn_variance) {}

Estimate DdpmGrid::estimate(const torch::Tensor& x, std::size_t index, const AskModel& ask) const {
  const double alpha_bar = schedule_.alpha_bar[index];
  const NoiseLevel<double> level{std::sqrt(alpha_bar), std::sqrt(1.0 - alpha_bar), std::sqrt(1.0 / alpha_bar),
                                 std::sqrt(1.0 / alpha_bar - 1.0)};
  const auto channels = x.size(1);
  const auto output = ask(x, static_cast<double>(schedule_.timestep[index]));
  const auto predicted = output.narrow(1, 0, channels);
  Estimate result{implied_x0(prediction_, level, x, predicted), implied_noise(prediction_, level, x, predicted), {}};
  if (learn_variance_) result.variance = output.narrow(1, channels, channels);
  return result;
}

}  // namespace ditscale::worker
