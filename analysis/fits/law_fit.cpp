#include "analysis/fits/law_fit.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/statistics/summary.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

/// A floor this close (relative to the smallest y) to 0 or to the smallest y says that the data do not determine it.
constexpr double kFloorEdge = 1e-3;
/// Sizes and amounts of data that depend on each other this closely cannot tell their exponents apart.
constexpr double kCollinear = 0.995;
constexpr std::size_t kMostPoints = 200'000;
/// Fewest points of a surface: its parameters, and two more.
constexpr std::size_t kFewestSurfacePoints = 7;

std::optional<double> aicc_of(double residual_sum, std::size_t n, std::size_t num_parameters) {
  const auto points = static_cast<double>(n);
  const auto k = static_cast<double>(num_parameters + 1);
  if (points - k - 1 <= 0 || residual_sum <= 0) return std::nullopt;
  return points * std::log(residual_sum / points) + 2 * k + 2 * k * (k + 1) / (points - k - 1);
}

void describe(LawFit& fit, std::span<const FitPoint> points, const FitOptions& options) {
  std::vector<double> log_ys;
  double residual_sum = 0;
  for (const FitPoint& point : points) {
    fit.predicted.push_back(fit.law().at(point.x, point.d));
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
  const bool exact = residual_sum < 1e-20 * static_cast<double>(points.size());
  if (!options.huber_delta && !exact) fit.aicc = aicc_of(residual_sum, points.size(), fit.law().size());
}

void warn_of_floor(LawFit& fit, double smallest) {
  const double floor = fit.law().value("E");
  if (floor < kFloorEdge * smallest) {
    fit.warnings.emplace_back("the floor went to 0: these points do not show one; use a law without floor");
  }
  if (floor > (1 - kFloorEdge) * smallest) {
    fit.warnings.emplace_back("the floor equals the best score: these points do not determine the exponent");
  }
}

void warn_of_exponents(LawFit& fit, bool higher_is_better) {
  const auto names = facts_of(fit.law().form).parameters;
  const bool bounded = names.front() == "E";
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double value = fit.law().values[i];
    const bool exponent = names[i].starts_with("alpha") || names[i] == "beta";
    if (exponent && (higher_is_better ? !bounded && value >= 0 : value <= 0)) {
      fit.warnings.push_back(fmt::format("the score does not {} with x: {} is not {}",
                                         higher_is_better ? "rise" : "fall", names[i],
                                         higher_is_better ? "negative" : "positive"));
    }
    if (exponent && bounded && (value > 0.99 * kLargestExponent || value < 1.01 * kSmallestExponent)) {
      fit.warnings.push_back(fmt::format("{} reached its bound {}: it is not determined", names[i], value));
    }
  }
}

void warn_of_search(LawFit& fit, const FormFacts& facts) {
  if (fit.num_distinct_x == facts.fewest_distinct_x && !facts.two_inputs) {
    fit.warnings.push_back(fmt::format("only {} different values of x: the fit has next to no freedom left to be wrong",
                                       fit.num_distinct_x));
  }
  // A floor of 0 lies at infinity for the search: its starts only come near.
  const bool bounded = facts.parameters.front() == "E" && fit.law().value("E") == 0;
  if (!bounded && fit.found.num_starts >= 20 && fit.found.num_at_optimum < fit.found.num_starts / 20) {
    fit.warnings.push_back(fmt::format("only {} of {} starts reached the best optimum: the data hold it loosely",
                                       fit.found.num_at_optimum, fit.found.num_starts));
  }
}

void warn_of_break(LawFit& fit, std::span<const FitPoint> points) {
  const std::vector<double> xs = xs_of(points);
  const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
  const double x0 = fit.law().value("x0");
  if (x0 <= *low || x0 >= *high) {
    fit.warnings.emplace_back("x0 lies outside the data: they do not show it; use a simpler law");
  }
}

/// A surface needs sizes and data that vary apart from each other.
std::optional<std::string> why_no_surface(std::span<const FitPoint> points) {
  const std::size_t sizes = count_distinct(xs_of(points));
  const std::size_t amounts = count_distinct(ds_of(points));
  if (points.size() < kFewestSurfacePoints || sizes < 3 || amounts < 3) {
    return fmt::format(
        "{} points with {} different sizes and {} different amounts of data; a surface has five parameters and needs "
        "at least {} points, 3 sizes and 3 amounts: run at least three sizes at each of two compute budgets",
        points.size(), sizes, amounts, kFewestSurfacePoints);
  }
  const double r = *pearson(log10_of(xs_of(points)), log10_of(ds_of(points)));
  if (r < -kCollinear) {
    return fmt::format(
        "all points lie on one compute budget (log size and log data correlate with {:.4f}), so their "
        "exponents cannot be told apart: run the same sizes at a second budget",
        r);
  }
  if (r > kCollinear) {
    return fmt::format(
        "there is one size per budget (log size and log data correlate with {:.4f}), so their exponents "
        "cannot be told apart: run at least two sizes per budget",
        r);
  }
  return std::nullopt;
}

}  // namespace

int num_starts_for(const FitOptions& options) {
  if (options.num_starts) return *options.num_starts;
  if (options.form == Form::kSurface) return 4500;
  return options.form == Form::kPower ? 1 : 200;
}

SearchOptions search_options(const FitOptions& options) {
  return {options.huber_delta, num_starts_for(options), options.objective_scale};
}

std::optional<std::string> why_not_fittable(std::span<const FitPoint> points, Form form) {
  const FormFacts& facts = facts_of(form);
  if (points.size() > kMostPoints) {
    return fmt::format(
        "{} points, and more than {} take hours without making a law surer: its different x do that. Take fewer of "
        "each run",
        points.size(), kMostPoints);
  }
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  for (const FitPoint& point : points) {
    if (positive(point.x) && positive(point.y) && positive(point.d)) continue;
    const std::string d = facts.two_inputs ? fmt::format(", d = {}", point.d) : "";
    return fmt::format(
        "{}: x = {}{} and y = {}; a law in logarithms needs positive numbers: correct it, or leave it out", point.label,
        point.x, d, point.y);
  }
  if (facts.two_inputs) return why_no_surface(points);
  const std::size_t distinct = count_distinct(xs_of(points));
  if (distinct >= facts.fewest_distinct_x) return std::nullopt;
  return fmt::format("{} different value{} of x, {} needs at least {}: run more model sizes", distinct,
                     distinct == 1 ? "" : "s", facts.formula, facts.fewest_distinct_x);
}

LawFit fit_law(std::span<const FitPoint> points, const FitOptions& options) {
  if (const auto why = why_not_fittable(points, options.form)) throw common::ConfigError(*why);
  const FormFacts& facts = facts_of(options.form);
  LawFit fit;
  fit.num_points = points.size();
  fit.num_distinct_x = count_distinct(xs_of(points));
  fit.found = LawSearch(points, options.form).search(search_options(options));
  describe(fit, points, options);
  const std::vector<double> ys = ys_of(points);
  if (facts.parameters.front() == "E") warn_of_floor(fit, *std::min_element(ys.begin(), ys.end()));
  warn_of_exponents(fit, options.higher_is_better);
  if (facts.parameters.back() == "x0") warn_of_break(fit, points);
  warn_of_search(fit, facts);
  return fit;
}

}  // namespace ditscale::analysis
