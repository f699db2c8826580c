#pragma once

#include <span>
#include <string>

#include "sweeps/spec/roofline.hpp"

namespace ditscale::sweeps {

/// How devices do beside their roofline: each of its two parts takes so many times what was expected. Before anything
/// was measured, once.
struct Speed {
  double work = 1;
  double launches = 1;
  /// Of the GPUs that were measured; empty: unknown, or no GPUs.
  std::string gpu_name = {};
  /// Attempts behind it; 0: assumed.
  std::size_t num_runs = 0;

  bool operator==(const Speed&) const = default;
  /// Whether predictions by the two differ by less than the share `difference`.
  [[nodiscard]] bool is_like(const Speed& other, double difference) const;
};

/// What one attempt did by the roofline, and the time it took from its start to its end.
struct MeasuredRun {
  double seconds = 0;
  RooflineTime roofline;
  /// Empty: unknown, or no GPUs.
  std::string gpu_name = {};
  /// Of the model.
  std::string label = {};
};

/// Start-up of LibTorch and reading of the data.
inline constexpr double kStartUp_s = 3.0;

[[nodiscard]] double predicted_s(const RooflineTime& roofline, const Speed& speed);

/// The most likely speed: relative errors of about a tenth in each run, outliers weighing less (Huber), and, before any
/// run, either part of the roofline wrong by a factor of about three. So one run moves what it can tell about, and many
/// runs move both parts to where they belong; without runs it is the roofline. Gauss-Newton on the logarithms. The GPUs
/// are those of the first run: `runs` stand newest first.
[[nodiscard]] Speed fit_speed(std::span<const MeasuredRun> runs);

}  // namespace ditscale::sweeps
