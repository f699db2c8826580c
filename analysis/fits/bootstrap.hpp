#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/law_fit.hpp"

namespace ditscale::analysis {

/// Laws of resamples: the same x, which the study chose and chance did not, with scores that have other noise. Drawing
/// whole points instead changes the x, too: resamples without the ends of the range make intervals too wide for laws
/// that bend.
struct Bootstrap {
  int num_resamples = 0;
  /// Resamples whose search did not converge; they are in no interval.
  int num_failed = 0;
  std::uint64_t seed = 0;
  std::size_t num_runs = 0;
  std::vector<Law> laws;

  /// 95 % interval of anything that follows from a law: the quantiles Phi(-+t), t the 97.5 % point of Student's t with
  /// n - k degrees of freedom, n runs, k parameters (percentiles expanded for few runs, Hesterberg 2015). Empty where
  /// why_no_interval() says why.
  [[nodiscard]] std::optional<Interval> interval(const std::function<double(const Law&)>& quantity) const;
  /// "6 of 9 resamples did not converge"; n <= k; or runs so few that beyond the quantiles no resample is expected, so
  /// that the interval would be the range of the resamples and too narrow. Empty when there is an interval.
  [[nodiscard]] std::optional<std::string> why_no_interval() const;
};

/// The noise of a resample: where each run has one point, residuals drawn with replacement from those of all runs, in
/// logarithms and corrected for leverage; where runs have several, which are not independent, each run keeps its own,
/// times one random number (the wild cluster bootstrap, with Webb's six numbers). Each resample is refitted from the
/// law of all points, `best`, and from further starts of its own.
[[nodiscard]] Bootstrap bootstrap_by_run(std::span<const FitPoint> points, const FitOptions& options, const Found& best,
                                         int num_resamples, std::uint64_t seed);

/// Level of the lower percentile for `num_runs` runs and `num_parameters`; the upper one's is 1 minus it.
[[nodiscard]] std::optional<double> percentile_level(std::size_t num_runs, std::size_t num_parameters);

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
  /// Of the points held out.
  std::vector<std::size_t> places;
  /// Predicted ÷ measured, geometric mean over the points held out.
  double ratio = 0;
  Law law;
};

/// The points of the largest x; with two inputs those within 5 % of the largest x · d, or a tenth of the points if that
/// is more. Empty when the rest cannot be fitted.
[[nodiscard]] std::optional<HeldOut> largest_held_out(std::span<const FitPoint> points, const FitOptions& options);

}  // namespace ditscale::analysis
