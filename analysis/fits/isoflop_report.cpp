#include "analysis/fits/isoflop_report.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/fits/parallel.hpp"
#include "analysis/statistics/random_stream.hpp"
#include "analysis/statistics/summary.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

/// Exponents further apart than this disagree whatever their intervals; so much was found between published studies
/// of the same data.
constexpr double kDisagreement = 0.05;
/// A bias that is worth a warning: of the exponent, and of N* itself.
constexpr double kExponentBias = 0.005;
constexpr double kSizeBias = 0.05;
/// Sizes further apart than this make a parabola a poor picture of the curve.
constexpr double kWideGrid = 30;
constexpr double kDrift = 0.1;
/// compute / (N D) may differ by so much between points.
constexpr double kSameAccounting = 1.1;

std::vector<FitPoint> bare(std::span<const BudgetPoint> points) {
  std::vector<FitPoint> result;
  for (const BudgetPoint& point : points) result.push_back(point.point);
  return result;
}

FitOptions surface_options() {
  FitOptions options;
  options.form = Form::kSurface;
  options.huber_delta = 1e-3;
  return options;
}

/// Runs drawn with replacement within each budget, so that every budget keeps as many.
std::vector<BudgetPoint> resample(const IsoflopReport& report, std::size_t number) {
  RandomStream random(report.seed, number);
  std::vector<BudgetPoint> drawn;
  for (const BudgetMinimum& budget : report.minima) {
    for (std::size_t i = 0; i < budget.points.size(); ++i)
      drawn.push_back(budget.points[random.below(budget.points.size())]);
  }
  return drawn;
}

/// Points of one run carry the same noise: drawn one by one they would say the same thing several times, and make
/// intervals too narrow.
bool runs_have_several_points(const IsoflopReport& report) {
  const std::vector<FitPoint> points = bare(report.points);
  return runs_of(points).size() < points.size();
}

/// Points of all budgets but the largest; empty where there is one.
std::vector<BudgetPoint> without_largest(const IsoflopReport& report) {
  std::vector<BudgetPoint> rest;
  for (std::size_t i = 0; i + 1 < report.minima.size(); ++i) {
    rest.insert(rest.end(), report.minima[i].points.begin(), report.minima[i].points.end());
  }
  return rest;
}

void set_intervals(Approach& approach) {
  approach.a = approach.interval([](const Allocation& one) { return one.a; });
  approach.b = approach.interval([](const Allocation& one) { return one.b; });
}

/// Intervals and hold-out of an approach that is `estimate` of points.
template <typename Estimate>
void judge(Approach& approach, const IsoflopReport& report, const Estimate& estimate) {
  if (!approach.allocation) return;
  const std::vector<BudgetPoint> rest = without_largest(report);
  if (const auto held_out = rest.empty() ? std::nullopt : estimate(rest)) approach.a_without_largest = held_out->a;
  if (report.num_resamples == 0) return;
  if (runs_have_several_points(report)) {
    approach.why_no_interval = "runs have several points, which are not independent; it is for runs of one point each";
    return;
  }
  std::vector<std::optional<Allocation>> found(static_cast<std::size_t>(report.num_resamples));
  parallel_for(found.size(), [&] { return [&](std::size_t i) { found[i] = estimate(resample(report, i)); }; });
  for (const auto& one : found) {
    if (one) approach.resamples.push_back(*one);
  }
  approach.num_failed = report.num_resamples - static_cast<int>(approach.resamples.size());
  set_intervals(approach);
}

Approach by_envelope(const IsoflopReport& report) {
  Approach approach;
  approach.name = "1 envelope";
  approach.allocation = envelope_allocation(report.points);
  if (!approach.allocation) {
    approach.why_not =
        "fewer than three sizes are lowest somewhere between the smallest and the largest: it needs the same sizes at "
        "several budgets, or every score of each training";
  }
  judge(approach, report, [](const auto& points) { return envelope_allocation(points); });
  return approach;
}

Approach by_minima(const IsoflopReport& report) {
  Approach approach;
  approach.name = "2 isoFLOP";
  approach.allocation = allocation_of(report.minima);
  if (!approach.allocation) approach.why_not = "fewer than two budgets have a minimum inside their sizes";
  judge(approach, report, [](const auto& points) { return allocation_of(budget_minima(points)); });
  return approach;
}

Approach by_surface(IsoflopReport& report) {
  Approach approach;
  approach.name = "3 surface";
  const std::vector<FitPoint> points = bare(report.points);
  if (const auto why = why_not_fittable(points, Form::kSurface)) {
    approach.why_not = *why;
    return approach;
  }
  const double per_unit = compute_per_unit(report.points);
  report.surface = fit_law(points, surface_options());
  approach.allocation = surface_allocation(report.surface->law(), per_unit);
  if (!approach.allocation) approach.why_not = "the surface does not fall with both size and data";
  if (!approach.allocation) return approach;
  const std::vector<FitPoint> rest = bare(without_largest(report));
  if (!why_not_fittable(rest, Form::kSurface)) {
    FitOptions quick = surface_options();
    quick.num_starts = 200;
    if (const auto held_out = surface_allocation(fit_law(rest, quick).law(), per_unit)) {
      approach.a_without_largest = held_out->a;
    }
  }
  if (report.num_resamples == 0) return approach;
  const Bootstrap laws =
      bootstrap_by_run(points, surface_options(), report.surface->found, report.num_resamples, report.seed);
  for (const Law& law : laws.laws) {
    if (const auto allocation = surface_allocation(law, per_unit)) approach.resamples.push_back(*allocation);
  }
  approach.num_failed = report.num_resamples - static_cast<int>(approach.resamples.size());
  approach.why_no_interval = laws.why_no_interval().value_or("");
  approach.level = percentile_level(laws.num_runs, report.surface->law().size()).value_or(0);
  set_intervals(approach);
  return approach;
}

std::optional<IsoflopReport::Bias> bias_of(const IsoflopReport& report) {
  const auto& truth = report.approaches[2].allocation;
  if (!truth || !report.approaches[1].allocation) return std::nullopt;
  const auto exact = noise_free_allocation(report.points, report.surface->law());
  if (!exact) return std::nullopt;
  const double largest = report.minima.back().compute;
  return IsoflopReport::Bias{exact->a - truth->a, exact->n_at(largest) / truth->n_at(largest),
                             exact->n_at(100 * largest) / truth->n_at(100 * largest)};
}

std::string off_text(double ratio) {
  return ratio < 1 ? fmt::format("{:.3g} times too small", 1 / ratio) : fmt::format("{:.3g} times too large", ratio);
}

void warn_of_bias(IsoflopReport& report) {
  if (!report.bias) return;
  const IsoflopReport::Bias& bias = *report.bias;
  const bool matters = std::abs(bias.exponent) > kExponentBias || std::abs(bias.n_ratio - 1) > kSizeBias ||
                       std::abs(bias.n_ratio_beyond - 1) > kSizeBias;
  if (!matters) return;
  report.warnings.push_back(fmt::format(
      "isoFLOP parabolas are biased here: on the fitted surface itself (alpha {:.4f}, beta {:.4f}, no noise) the same "
      "points give an exponent off by {:+.4f} and an N* {} at the largest budget, {} at a hundred times it; trust "
      "approach 3, or narrow and centre the sizes",
      report.surface->law().value("alpha"), report.surface->law().value("beta"), bias.exponent, off_text(bias.n_ratio),
      off_text(bias.n_ratio_beyond)));
}

void warn_of_grid(IsoflopReport& report) {
  std::size_t few = 0;
  std::size_t wide = 0;
  std::vector<double> log_cs;
  std::vector<double> off_centre;
  for (const BudgetMinimum& one : report.minima) {
    if (!one.why_dropped.empty()) continue;
    few += one.num_sizes < kFewestSizes ? 1 : 0;
    wide += one.largest_n > kWideGrid * one.smallest_n ? 1 : 0;
    log_cs.push_back(std::log(one.compute));
    off_centre.push_back(std::log(one.n / std::sqrt(one.smallest_n * one.largest_n)));
  }
  const auto of_used = [&](std::size_t count) {
    return fmt::format("of {} budgets with a minimum {}", log_cs.size(), count);
  };
  if (few > 0) report.warnings.push_back(fmt::format("{} have fewer than {} sizes", of_used(few), kFewestSizes));
  if (wide > 0) {
    report.warnings.push_back(fmt::format(
        "{} have sizes more than {:.0f}-fold apart: a parabola bends their minimum towards the flatter side",
        of_used(wide), kWideGrid));
  }
  if (log_cs.size() < 2) return;
  const double drift = (off_centre.back() - off_centre.front()) / (log_cs.back() - log_cs.front());
  if (std::abs(drift) > kDrift) {
    report.warnings.push_back(fmt::format(
        "the centre of the sizes drifts against the minimum ({:+.2f} per e-fold of compute), which bends the exponent",
        drift));
  }
}

/// N* and D* are lines in logarithms only where all models take as much compute for a unit of size and data.
void warn_of_accounting(IsoflopReport& report) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const BudgetPoint& point : report.points) {
    const double ratio = point.compute / (point.point.x * point.point.d);
    low = std::min(low, ratio);
    high = std::max(high, ratio);
  }
  if (high < kSameAccounting * low) return;
  report.warnings.push_back(fmt::format(
      "compute / (N D) goes from {:.3g} to {:.3g}: sizes that cost differently (patches, attention) share N, so N* and "
      "D* hold for their mix; take what is proportional to compute as size (of a database --n forward_macs)",
      low, high));
}

void warn_of_missing_interval(IsoflopReport& report) {
  for (const Approach& one : report.approaches) {
    if (one.why_no_interval.empty()) continue;
    report.warnings.push_back(fmt::format("approach {} has no interval: {}", one.name, one.why_no_interval));
  }
}

void warn_of_held_out(IsoflopReport& report) {
  for (const Approach& one : report.approaches) {
    if (!one.a_without_largest || std::abs(*one.a_without_largest - one.allocation->a) <= kDisagreement) continue;
    report.warnings.push_back(fmt::format("without the largest budget, approach {} says C^{:.3f} instead of C^{:.3f}",
                                          one.name, *one.a_without_largest, one.allocation->a));
  }
}

void warn_of_disagreement(IsoflopReport& report) {
  for (std::size_t i = 0; i < report.approaches.size(); ++i) {
    for (std::size_t j = i + 1; j < report.approaches.size(); ++j) {
      const Approach& one = report.approaches[i];
      const Approach& other = report.approaches[j];
      if (!one.allocation || !other.allocation) continue;
      const double apart = std::abs(one.allocation->a - other.allocation->a);
      const bool disjoint = one.a && other.a && (one.a->high < other.a->low || other.a->high < one.a->low);
      if (apart <= kDisagreement && !disjoint) continue;
      report.warnings.push_back(fmt::format("approaches {} and {} disagree: N* grows as C^{:.3f} or C^{:.3f}", one.name,
                                            other.name, one.allocation->a, other.allocation->a));
    }
  }
}

void refuse_when_empty(const IsoflopReport& report) {
  std::string reasons;
  for (const Approach& approach : report.approaches) {
    if (approach.allocation) return;
    reasons += fmt::format("\n  {}: {}", approach.name, approach.why_not);
  }
  for (const BudgetMinimum& one : report.minima) {
    if (!one.why_dropped.empty()) reasons += fmt::format("\n  budget {:.4g}: {}", one.compute, one.why_dropped);
  }
  throw common::ConfigError("no law of N* or D* against compute:" + reasons);
}

}  // namespace

std::optional<Interval> Approach::interval(const std::function<double(const Allocation&)>& quantity) const {
  const bool most_failed = static_cast<std::size_t>(num_failed) > resamples.size();
  if (!why_no_interval.empty() || resamples.empty() || most_failed) return std::nullopt;
  std::vector<double> values;
  for (const Allocation& one : resamples) values.push_back(quantity(one));
  return Interval{*quantile(values, level), *quantile(values, 1 - level)};
}

std::optional<Interval> Approach::n_interval(double compute) const {
  return interval([compute](const Allocation& one) { return one.n_at(compute); });
}

std::optional<Interval> Approach::d_interval(double compute) const {
  return interval([compute](const Allocation& one) { return one.d_at(compute); });
}

IsoflopReport make_isoflop_report(std::vector<BudgetPoint> points, int num_resamples, std::uint64_t seed) {
  if (points.empty()) throw common::ConfigError("no points: run sizes at several compute budgets");
  for (const BudgetPoint& point : points) {
    const FitPoint& p = point.point;
    if (p.x > 0 && p.d > 0 && p.y > 0 && point.compute > 0) continue;
    throw common::ConfigError(fmt::format("{}: N = {}, D = {}, y = {}, compute {}; all must be positive", p.label, p.x,
                                          p.d, p.y, point.compute));
  }
  IsoflopReport report;
  report.points = std::move(points);
  report.num_resamples = num_resamples;
  report.seed = seed;
  report.minima = budget_minima(report.points);
  report.approaches = {by_envelope(report), by_minima(report)};
  report.approaches.push_back(by_surface(report));
  refuse_when_empty(report);
  report.bias = bias_of(report);
  warn_of_bias(report);
  warn_of_grid(report);
  warn_of_accounting(report);
  warn_of_missing_interval(report);
  warn_of_held_out(report);
  warn_of_disagreement(report);
  return report;
}

}  // namespace ditscale::analysis
