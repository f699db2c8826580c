#pragma once

#include "worker/diffusion/noise_schedule.hpp"
#include "worker/diffusion/prediction.hpp"
#include "worker/sampling/step_method.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// What a ddpm model says about x at one timestep, (N, C, S, S) each.
struct Estimate {
  torch::Tensor x0;
  torch::Tensor noise;
  /// The raw interpolation output of a learned variance, else undefined.
  torch::Tensor variance;
};

/// The respaced timesteps that a ddpm sampler walks down, and the model's answers on them.
class DdpmGrid {
 public:
  /// `schedule` is the objective's, respaced.
  DdpmGrid(const sweeps::ObjectiveSpec& objective, NoiseSchedule schedule);

  [[nodiscard]] const NoiseSchedule& schedule() const { return schedule_; }
  [[nodiscard]] std::int64_t size() const { return schedule_.size(); }
  /// Index into the schedule of step i: the noisiest first.
  [[nodiscard]] std::size_t index_of(std::int64_t step) const { return static_cast<std::size_t>(size() - 1 - step); }
  [[nodiscard]] Estimate estimate(const torch::Tensor& x, std::size_t index, const AskModel& ask) const;

 private:
  NoiseSchedule schedule_;
  sweeps::Prediction prediction_;
  bool learn_variance_;
};

}  // namespace ditscale::worker
