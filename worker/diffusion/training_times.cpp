#include "worker/diffusion/training_times.hpp"

#include <cmath>

#include "worker/random/philox.hpp"

namespace ditscale::worker {

namespace {

double flow_time(const sweeps::ObjectiveSpec& objective, const PhiloxStream& stream) {
  if (objective.time == sweeps::FlowTime::kUniform) return shifted_time(stream.uniform(), objective.shift);
  float normal = 0;
  stream.fill_normal(&normal, 1);
  const double logit = objective.time_mean + objective.time_deviation * static_cast<double>(normal);
  return shifted_time(1.0 / (1.0 + std::exp(-logit)), objective.shift);
}

}  // namespace

double shifted_time(double t, double shift) { return shift * t / (1.0 + (shift - 1.0) * t); }

torch::Tensor training_times(const sweeps::ObjectiveSpec& objective, std::uint64_t seed, std::int64_t first,
                             std::int64_t count) {
  const bool flow = objective.kind == sweeps::ObjectiveKind::kFlow;
  torch::Tensor times = torch::empty({count}, flow ? torch::kFloat32 : torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i) {
    const PhiloxStream stream(seed, Purpose::kTimestep, static_cast<std::uint64_t>(first + i));
    if (flow) {
      times.data_ptr<float>()[i] = static_cast<float>(flow_time(objective, stream));
    } else {
      times.data_ptr<std::int64_t>()[i] = stream.below(objective.num_timesteps);
    }
  }
  return times;
}

}  // namespace ditscale::worker
