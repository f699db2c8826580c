#include "analysis/fits/power_law.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/fits/law_search.hpp"
#include "analysis/statistics/summary.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

/// A floor this close (relative to the smallest y) to 0 or to the smallest y says that the data do not determine it.
constexpr double kFloorEdge = 1e-3;

std::optional<double> aicc_of(double residual_sum, std::size_t n, std::size_t num_parameters) {
  const auto points = static_cast<double>(n);
  const auto k = static_cast<double>(num_parameters + 1);
  if (points - k - 1 <= 0 || residual_sum <= 0) return std::nullopt;
  return points * std::log(residual_sum / points) + 2 * k + 2 * k * (k + 1) / (points - k - 1);
}

void describe(PowerLawFit& fit, std::span<const FitPoint> points, const FitOptions& options) {
  std::vector<double> log_ys;
  double residual_sum = 0;
  for (const FitPoint& point : points) {
    fit.predicted.push_back(fit.law.at(point.x));
    log_ys.push_back(std::log(point.y));
    const double residual = std::log(fit.predicted.back()) - log_ys.back();
    residual_sum += residual * residual;
  }
  const double centre = *mean(log_ys);
  double total = 0;
  for (const double log_y : log_ys) total += (log_y - centre) * (log_y - centre);
  fit.rms_log_residual = std::sqrt(residual_sum / static_cast<double>(points.size()));
  if (total > 0) fit.r_squared = 1 - residual_sum / total;
  // Rounding alone leaves about 1e-30 per point: an exact fit has no likelihood to compare.
  const bool exact = residual_sum < 1e-24 * static_cast<double>(points.size());
  if (!options.huber_delta && !exact) fit.aicc = aicc_of(residual_sum, points.size(), options.with_floor ? 3 : 2);
}

void add_warnings(PowerLawFit& fit, std::span<const FitPoint> points) {
  const std::vector<double> ys = ys_of(points);
  const double smallest = *std::min_element(ys.begin(), ys.end());
  if (fit.law.exponent <= 0) fit.warnings.emplace_back("the score does not fall with x: the exponent is not positive");
  if (fit.with_floor && fit.law.floor < kFloorEdge * smallest) {
    fit.warnings.emplace_back("the floor went to 0: these points do not show one; use the law without floor");
  }
  if (fit.with_floor && fit.law.floor > (1 - kFloorEdge) * smallest) {
    fit.warnings.emplace_back("the floor equals the best score: these points do not determine the exponent");
  }
  if (fit.with_floor && fit.law.exponent > 0.99 * kLargestExponent) {
    fit.warnings.emplace_back(fmt::format("the exponent reached its bound {}: it is not determined", kLargestExponent));
  }
  if (fit.num_distinct_x == fewest_distinct_x(fit.with_floor)) {
    fit.warnings.push_back(fmt::format("only {} different values of x: the fit has next to no freedom left to be wrong",
                                       fit.num_distinct_x));
  }
}

}  // namespace

double PowerLaw::at(double x) const { return floor + factor * std::pow(x, -exponent); }

std::optional<std::string> why_not_fittable(std::span<const FitPoint> points, bool with_floor) {
  for (const FitPoint& point : points) {
    if (!(point.x > 0) || !(point.y > 0) || !std::isfinite(point.x) || !std::isfinite(point.y)) {
      return fmt::format("{}: x = {} and y = {}; a power law needs positive numbers", point.label, point.x, point.y);
    }
  }
  const std::size_t distinct = count_distinct(xs_of(points));
  const std::size_t needed = fewest_distinct_x(with_floor);
  if (distinct >= needed) return std::nullopt;
  return fmt::format("{} different value{} of x, a power law {} floor needs at least {}: run more model sizes",
                     distinct, distinct == 1 ? "" : "s", with_floor ? "with" : "without", needed);
}

PowerLawFit fit_power_law(std::span<const FitPoint> points, const FitOptions& options) {
  if (const auto why = why_not_fittable(points, options.with_floor)) throw common::ConfigError(*why);
  PowerLawFit fit;
  fit.with_floor = options.with_floor;
  fit.num_points = points.size();
  fit.num_distinct_x = count_distinct(xs_of(points));
  const FoundLaw found = search_law(points, options);
  fit.law = found.law;
  fit.objective = found.objective;
  describe(fit, points, options);
  add_warnings(fit, points);
  return fit;
}

}  // namespace ditscale::analysis
