#pragma once

#include <cstdint>
#include <vector>

#include "sweeps/spec/speed.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::sweeps {

/// Over its whole life.
[[nodiscard]] TrialWork work_of(const TrialSpec& trial);
/// Steps after which `evaluate` scores: multiples of every_steps up to the end, and the end itself. `last_step` >= 1.
[[nodiscard]] std::vector<std::int64_t> evaluation_steps(const EvaluateSpec& evaluate, std::int64_t last_step);
/// Their number, without listing them.
[[nodiscard]] std::int64_t num_evaluations(const EvaluateSpec& evaluate, std::int64_t last_step);
/// Forward passes for one sample: Heun's method makes two a step but one at the last; guidance doubles those in its
/// interval. A guide counts as a model of the same size, an upper bound: its file is not opened here.
[[nodiscard]] double forward_passes(const EvaluateSpec& evaluate);
/// MACs of the trial's model to make one set of samples.
[[nodiscard]] double sampling_macs(const TrialSpec& trial, const EvaluateSpec& evaluate);
/// MACs to decode one set of samples and to compute its features. Of a network of the user's own nothing is known: it
/// counts as none.
[[nodiscard]] double helper_macs(const TrialSpec& trial, const EvaluateSpec& evaluate);

/// All that it asks for; GPUs without a name.
[[nodiscard]] DeviceShare devices_of(const ResourceSpec& resources);

/// Where a trial's seconds go, beside kStartUp_s of each attempt.
struct TrialTime {
  double training_s = 0;
  /// Of each entry of `evaluate`, to score once by it.
  std::vector<double> score_s;

  /// One start, the training, and all scores. `trial` is the one it was made for.
  [[nodiscard]] double whole_s(const TrialSpec& trial) const;
};
[[nodiscard]] TrialTime time_of(const TrialSpec& trial, const Speed& speed, DeviceShare devices);

/// Seconds the whole trial takes, by its roofline and what measurements made of it. The GPUs' name is the speed's.
[[nodiscard]] double predicted_s(const TrialSpec& trial, const Speed& speed, DeviceShare devices);
/// The same on all that it asks for.
[[nodiscard]] double predicted_s(const TrialSpec& trial, const Speed& speed = {});

}  // namespace ditscale::sweeps
