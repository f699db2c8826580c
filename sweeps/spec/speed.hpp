#pragma once

#include <span>

namespace ditscale::sweeps {

/// How fast a trial's devices are: a step takes its arithmetic, and for each block a time that does not depend on the
/// block's size (launches, small kernels). Small models are bound by the latter, large ones by the former.
struct Speed {
  double macs_per_s = 0;
  /// Seconds of one block in one training step beside its arithmetic.
  double block_s = 0;

  /// Arithmetic alone.
  Speed(double macs = 0) : macs_per_s(macs) {}  // NOLINT(google-explicit-constructor): a rate is a speed
  Speed(double macs, double block) : macs_per_s(macs), block_s(block) {}
  bool operator==(const Speed&) const = default;
};

/// What one attempt did, and the time it took from its start to its end.
struct MeasuredRun {
  double seconds = 0;
  /// Training and sampling.
  double macs = 0;
  /// Training steps times blocks of the model.
  double block_steps = 0;
};

/// The speed that explains the runs best: both numbers by least squares of relative errors, outliers weighing less
/// (Huber, 0.1). The median rate alone where fewer than four runs, or fewer than three models that differ by much,
/// cannot tell the two apart, or contradict them. `runs` must not be empty.
[[nodiscard]] Speed fit_speed(std::span<const MeasuredRun> runs);

}  // namespace ditscale::sweeps
