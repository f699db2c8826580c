#include "analysis/fits/isoflop_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

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
std::vector<BudgetPoint> resample(const std::vector<std::vector<BudgetPoint>>& budgets, std::uint64_t seed,
                                  std::size_t number) {
  RandomStream random(seed, number);
  std::vector<BudgetPoint> drawn;
  for (const auto& budget : budgets) {
    for (std::size_t i = 0; i < budget.size(); ++i) drawn.push_back(budget[random.below(budget.size())]);
  }
  return drawn;
}

std::vector<std::vector<BudgetPoint>> by_budget(std::span<const BudgetPoint> points,
                                                std::span<const BudgetMinimum> minima) {
  std::vector<std::vector<BudgetPoint>> budgets(minima.size());
  for (const BudgetPoint& point : points) {
    const auto nearest = std::min_element(minima.begin(), minima.end(), [&](const auto& one, const auto& other) {
      return std::abs(std::log(one.compute / point.compute)) < std::abs(std::log(other.compute / point.compute));
    });
    budgets[static_cast<std::size_t>(nearest - minima.begin())].push_back(point);
  }
  return budgets;
}

template <typename Estimate>
void add_intervals(Approach& approach, const IsoflopReport& report, const Estimate& estimate) {
  if (!approach.allocation || report.num_resamples == 0) return;
  const auto budgets = by_budget(report.points, report.minima);
  std::vector<std::optional<Allocation>> found(static_cast<std::size_t>(report.num_resamples));
  parallel_for(found.size(),
               [&] { return [&](std::size_t i) { found[i] = estimate(resample(budgets, report.seed, i)); }; });
  std::vector<double> as;
  std::vector<double> bs;
  for (const auto& one : found) {
    if (!one) continue;
    approach.resamples.push_back(*one);
    as.push_back(one->a);
    bs.push_back(one->b);
  }
  approach.num_failed = report.num_resamples - static_cast<int>(as.size());
  if (2 * approach.num_failed > report.num_resamples) return;
  approach.a = Interval{*quantile(as, 0.025), *quantile(as, 0.975)};
  approach.b = Interval{*quantile(bs, 0.025), *quantile(bs, 0.975)};
}

Approach by_envelope(const IsoflopReport& report) {
  Approach approach{"1 envelope", envelope_allocation(report.points), "", {}, {}, 0, {}};
  if (!approach.allocation) {
    approach.why_not =
        "fewer than three sizes are lowest somewhere between the smallest and the largest: it needs the same sizes at "
        "several budgets, or training curves (--points all)";
  }
  add_intervals(approach, report, [](const auto& points) { return envelope_allocation(points); });
  return approach;
}

Approach by_minima(const IsoflopReport& report) {
  Approach approach{"2 isoFLOP", allocation_of(report.minima), "", {}, {}, 0, {}};
  if (!approach.allocation) approach.why_not = "fewer than two budgets have a minimum inside their sizes";
  add_intervals(approach, report, [](const auto& points) { return allocation_of(budget_minima(points)); });
  return approach;
}

Approach by_surface(IsoflopReport& report) {
  Approach approach{"3 surface", std::nullopt, "", {}, {}, 0, {}};
  const std::vector<FitPoint> points = bare(report.points);
  if (const auto why = why_not_fittable(points, Form::kSurface)) {
    approach.why_not = *why;
    return approach;
  }
  const double per_unit = compute_per_unit(report.points);
  report.surface = fit_law(points, surface_options());
  approach.allocation = surface_allocation(report.surface->law(), per_unit);
  if (!approach.allocation) approach.why_not = "the surface does not fall with both size and data";
  if (report.num_resamples == 0 || !approach.allocation) return approach;
  const Bootstrap laws =
      bootstrap_by_run(points, surface_options(), report.surface->found, report.num_resamples, report.seed);
  approach.num_failed = laws.num_failed;
  for (const Law& law : laws.laws) {
    if (const auto allocation = surface_allocation(law, per_unit)) approach.resamples.push_back(*allocation);
  }
  const auto a = [&](const Law& law) { return law.value("beta") / (law.value("alpha") + law.value("beta")); };
  approach.a = laws.interval(a);
  approach.b = laws.interval([&](const Law& law) { return 1 - a(law); });
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

void warn_of_bias(IsoflopReport& report) {
  if (!report.bias) return;
  const IsoflopReport::Bias& bias = *report.bias;
  const bool matters = std::abs(bias.exponent) > kExponentBias || std::abs(bias.n_ratio - 1) > kSizeBias ||
                       std::abs(bias.n_ratio_beyond - 1) > kSizeBias;
  if (!matters) return;
  report.warnings.push_back(fmt::format(
      "isoFLOP parabolas are biased here: on the fitted surface itself (alpha {:.4f}, beta {:.4f}, no noise) the same "
      "points give an exponent off by {:+.4f} and N* {:.3g} times too large at the largest budget, {:.3g} times at a "
      "hundred times it; trust approach 3, or narrow and centre the sizes",
      report.surface->law().value("alpha"), report.surface->law().value("beta"), bias.exponent, bias.n_ratio,
      bias.n_ratio_beyond));
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
  if (few > 0) report.warnings.push_back(fmt::format("{} budgets have fewer than {} sizes", few, kFewestSizes));
  if (wide > 0) {
    report.warnings.push_back(fmt::format(
        "{} budgets have sizes more than {:.0f}-fold apart: a parabola bends their minimum towards the flatter side",
        wide, kWideGrid));
  }
  if (log_cs.size() < 2) return;
  const double drift = (off_centre.back() - off_centre.front()) / (log_cs.back() - log_cs.front());
  if (std::abs(drift) > kDrift) {
    report.warnings.push_back(fmt::format(
        "the centre of the sizes drifts against the minimum ({:+.2f} per e-fold of compute), which bends the exponent",
        drift));
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
  warn_of_disagreement(report);
  return report;
}

}  // namespace ditscale::analysis
