#pragma once

#include <optional>
#include <span>

namespace ditscale::analysis {

/// A score whose bias falls as 1/n, from n samples.
struct CountedScore {
  double num_samples = 0;
  double value = 0;
  std::optional<double> standard_error;
};

/// How the samples of different counts hang together.
enum class Samples {
  /// A smaller set is the beginning of a larger one (same seed), so their errors have the larger set's variance in
  /// common.
  kNested,
  kIndependent,
};

/// The score of infinitely many samples.
struct Extrapolated {
  double value = 0;
  /// From the errors of the scores where all have one, else from the residuals; empty for two scores without errors.
  std::optional<double> standard_error;
  /// Bias times n: score = value + slope / n.
  double slope = 0;
  /// Root mean square of the residuals in standard errors; empty for two counts, or without errors of the scores. Far
  /// above 1 the scores do not go as 1/n.
  std::optional<double> misfit;
};

/// Generalised least squares of a straight line in 1/n (Chong and Forsyth 2020), whose errors have variances that go as
/// 1/n. Empty for fewer than two different numbers of samples. The counts are positive and differ.
[[nodiscard]] std::optional<Extrapolated> at_infinite_samples(std::span<const CountedScore> scores, Samples samples);

}  // namespace ditscale::analysis
