#pragma once

#include <cstdint>
#include <vector>

#include "sweeps/spec/speed.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::sweeps {

/// What a whole trial computes, in multiply-accumulates.
struct TrialWork {
  /// Three forward passes for each training image.
  double training_macs = 0;
  /// Sampling for all scores over the trial's life; guidance doubles the batch.
  double sampling_macs = 0;
};

[[nodiscard]] TrialWork work_of(const TrialSpec& trial);
/// Steps after which `evaluate` scores: multiples of every_steps up to the end, and the end itself. `last_step` >= 1.
[[nodiscard]] std::vector<std::int64_t> evaluation_steps(const EvaluateSpec& evaluate, std::int64_t last_step);
/// Their number, without listing them.
[[nodiscard]] std::int64_t num_evaluations(const EvaluateSpec& evaluate, std::int64_t last_step);
/// Forward passes for one sample: Heun's method makes two a step but one at the last; guidance doubles those in its
/// interval. A guide counts as a model of the same size, an upper bound: its file is not opened here.
[[nodiscard]] double forward_passes(const EvaluateSpec& evaluate);
/// MACs to make one set of samples.
[[nodiscard]] double sampling_macs(const TrialSpec& trial, const EvaluateSpec& evaluate);

/// Start-up of LibTorch and reading of the data.
inline constexpr double kStartUp_s = 3.0;

/// Seconds a trial takes on devices of this speed; see `default_macs_per_s` and `fit_speed`.
[[nodiscard]] double predicted_s(const TrialSpec& trial, const Speed& speed);

/// Rate to assume before anything was measured: a deliberately round 2e10 MACs/s per processor core and 1e14 per GPU.
/// It orders trials well (longest first needs only ratios) and is replaced by measured rates as soon as one trial has
/// run.
[[nodiscard]] double default_macs_per_s(const ResourceSpec& resources);

}  // namespace ditscale::sweeps
