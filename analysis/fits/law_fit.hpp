#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/fits/law_search.hpp"

namespace ditscale::analysis {

struct FitOptions {
  Form form = Form::kPower;
  /// Huber's delta on log residuals; absent: least squares.
  std::optional<double> huber_delta;
  /// Starts of the search; absent: what the form needs (see num_starts_for).
  std::optional<int> num_starts;
  double objective_scale = 1.0;
  /// Of y; says only what is warned of.
  bool higher_is_better = false;
};

/// 1 for a straight line, Hoffmann's 4,500 for a surface.
[[nodiscard]] int num_starts_for(const FitOptions& options);
[[nodiscard]] SearchOptions search_options(const FitOptions& options);

/// A fit that was found: the law, and how good it is.
struct LawFit {
  Found found;
  /// Root mean square of the log residuals.
  double rms_log_residual = 0;
  /// Share of the variance of log y that the law explains.
  std::optional<double> r_squared;
  /// Akaike's criterion with its small-sample correction; smaller is better. Empty when there are too few points
  /// (n - k - 1 <= 0, k parameters and one variance), when the fit is exact, or under Huber's loss.
  std::optional<double> aicc;
  std::size_t num_points = 0;
  std::size_t num_distinct_x = 0;
  /// Law at each point.
  std::vector<double> predicted;
  /// What a reader should know before trusting it.
  std::vector<std::string> warnings;

  [[nodiscard]] const Law& law() const { return found.law; }
};

/// Why these points cannot be fitted ("2 different values of x, 3 are needed …; run …"), or empty when they can.
[[nodiscard]] std::optional<std::string> why_not_fittable(std::span<const FitPoint> points, Form form);

/// Throws ConfigError with `why_not_fittable`. Depends on no start of the user's, on no scale of the objective, on no
/// unit of the data.
[[nodiscard]] LawFit fit_law(std::span<const FitPoint> points, const FitOptions& options);

}  // namespace ditscale::analysis
