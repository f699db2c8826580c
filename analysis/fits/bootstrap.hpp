#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/law_fit.hpp"

namespace ditscale::analysis {

/// Laws of resamples of whole runs, drawn with replacement (points of one run are not independent).
struct Bootstrap {
  int num_resamples = 0;
  /// Resamples that left too few different x to be fitted; they are in no interval.
  int num_failed = 0;
  std::uint64_t seed = 0;
  std::size_t num_runs = 0;
  std::vector<Law> laws;

  /// 95 % interval of anything that follows from a law: expanded percentiles (Hesterberg 2015), that is, the quantiles
  /// Phi(-+ sqrt(n/(n-k)) t), t the 97.5 % point of Student's t with n - k degrees of freedom, n runs, k parameters.
  /// Plain percentiles are too narrow for few runs. Empty when fewer than half of the resamples could be fitted, or
  /// n <= k.
  [[nodiscard]] std::optional<Interval> interval(const std::function<double(const Law&)>& quantity) const;
};

/// Each resample is refitted from the law of all points, `best`, and from further starts of its own.
[[nodiscard]] Bootstrap bootstrap_by_run(std::span<const FitPoint> points, const FitOptions& options, const Found& best,
                                         int num_resamples, std::uint64_t seed);

/// Levels of the expanded percentiles for `num_runs` runs and `num_parameters`: below `high` = 1 - `low`.
[[nodiscard]] std::optional<double> expanded_level(std::size_t num_runs, std::size_t num_parameters);

/// What happens to the law when one run is left out.
struct Influence {
  std::string run;
  std::string label;
  /// Empty when the rest cannot be fitted.
  std::optional<Law> law;
  /// Law without the run ÷ law with it, at the largest x (and d).
  std::optional<double> prediction_ratio;
  /// log(law without the run) - log y at the run's own points, squared, mean.
  std::optional<double> held_out_square;
};

/// One entry per run, in the order of the points; none at all of more than a thousand runs.
[[nodiscard]] std::vector<Influence> leave_one_out(std::span<const FitPoint> points, const FitOptions& options,
                                                   const Found& best);

/// Honest look ahead: the fit without the largest budget, and how it predicts it.
struct HeldOut {
  std::size_t num_held_out = 0;
  /// Predicted ÷ measured, geometric mean over the points held out.
  double ratio = 0;
  Law law;
};

/// The points of the largest x; with two inputs those within 5 % of the largest x · d, or a tenth of the points if that
/// is more. Empty when the rest cannot be fitted.
[[nodiscard]] std::optional<HeldOut> largest_held_out(std::span<const FitPoint> points, const FitOptions& options);

}  // namespace ditscale::analysis
