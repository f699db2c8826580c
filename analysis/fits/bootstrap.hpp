#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/power_law.hpp"
#include "analysis/statistics/correlation.hpp"

namespace ditscale::analysis {

/// Intervals by resampling whole runs with replacement (points of one run are not independent).
struct Bootstrap {
  int num_resamples = 0;
  /// Resamples that left too few different x to be fitted; they are in no interval.
  int num_failed = 0;
  std::uint64_t seed = 0;
  /// 95 % percentile intervals; empty when fewer than half of the resamples could be fitted.
  std::optional<Interval> exponent, factor, floor;
};

[[nodiscard]] Bootstrap bootstrap_by_run(std::span<const FitPoint> points, const FitOptions& options, int num_resamples,
                                         std::uint64_t seed);

/// What happens to the law when one run is left out.
struct Influence {
  std::string run;
  std::string label;
  /// Empty when the rest cannot be fitted.
  std::optional<double> exponent;
  /// Law without the run ÷ law with it, at the largest x.
  std::optional<double> prediction_ratio;
};

/// One entry per run, in the order of the points.
[[nodiscard]] std::vector<Influence> leave_one_out(std::span<const FitPoint> points, const FitOptions& options);

/// Honest look ahead: fit without the points of the largest x, predict them. Predicted ÷ measured (mean over them), or
/// empty when the rest cannot be fitted.
[[nodiscard]] std::optional<double> largest_x_left_out_ratio(std::span<const FitPoint> points,
                                                             const FitOptions& options);

}  // namespace ditscale::analysis
