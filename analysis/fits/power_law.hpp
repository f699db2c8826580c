#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/fits/points.hpp"

namespace ditscale::analysis {

/// y = floor + factor · x^-exponent.
struct PowerLaw {
  double floor = 0;
  double factor = 0;
  double exponent = 0;

  [[nodiscard]] double at(double x) const;
};

struct FitOptions {
  /// With a floor ("irreducible" part, >= 0), or floor = 0.
  bool with_floor = false;
  /// Huber's delta on log residuals; absent: least squares. 1e-3 is what Hoffmann et al. use for losses.
  std::optional<double> huber_delta;
  /// Multiplies the objective. Changes no parameter; there so that a test can show it.
  double objective_scale = 1.0;
};

/// A fit that was found: the law, and how good it is.
struct PowerLawFit {
  PowerLaw law;
  bool with_floor = false;
  /// Sum over points of rho(log law(x) - log y): what is minimised. Natural logarithms.
  double objective = 0;
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
};

/// Fewest distinct x for a law: its parameters, and one more where they can bend to anything.
[[nodiscard]] constexpr std::size_t fewest_distinct_x(bool with_floor) { return with_floor ? 4 : 3; }

/// Why these points cannot be fitted ("2 different values of x, 3 are needed …"), or empty when they can.
[[nodiscard]] std::optional<std::string> why_not_fittable(std::span<const FitPoint> points, bool with_floor);

/// Least squares on log y. Does not depend on a start: for each exponent of a grid floor and factor follow linearly
/// (variable projection), and the best of these are polished together; stopping rules are free of scale. Throws
/// ConfigError with `why_not_fittable`.
[[nodiscard]] PowerLawFit fit_power_law(std::span<const FitPoint> points, const FitOptions& options);

}  // namespace ditscale::analysis
