#include "analysis/figures/isoflop_figures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace ditscale::analysis {

using Kind = Column::Kind;

Figure isoflop_curves(const IsoflopReport& report) {
  Figure figure;
  figure.name = "isoflop_curves";
  figure.title = fmt::format("{} by size at equal compute", report.y_name);
  figure.x = {report.n_name, true, {}};
  figure.y = {report.y_name, false, {}};
  figure.table.columns = {{"budget", Kind::kNumber}, {"n", Kind::kNumber}, {"d", Kind::kNumber}, {"y", Kind::kNumber}};
  Series minima{"minima", {}, Series::Look::kBackdrop};
  for (const BudgetMinimum& budget : report.minima) {
    if (budget.num_sizes < kParabolaSizes) continue;
    Series series{fmt::format("{:.2g} FLOPs", budget.compute), {}, Series::Look::kPointsAndLine};
    for (const BudgetPoint& point : budget.points) {
      series.points.push_back({point.point.x, point.point.y, ""});
      figure.table.rows.push_back({budget.compute, point.point.x, point.point.d, point.point.y});
    }
    std::sort(series.points.begin(), series.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    figure.series.push_back(std::move(series));
    if (budget.why_dropped.empty()) minima.points.push_back({budget.n, budget.y, ""});
  }
  figure.series.push_back(std::move(minima));
  return figure;
}

namespace {

/// Places along a band.
constexpr int kBandPlaces = 40;

/// N* or D*: how a figure of either asks for it.
struct Optimum {
  const char* name;
  std::string label;
  double BudgetMinimum::*of_minimum;
  double (Allocation::*at)(double) const;
  std::optional<Interval> (Approach::*interval)(double) const;
};

/// The computes of the budgets and beyond, evenly in logarithms.
std::vector<double> computes_of(const IsoflopReport& report) {
  const double low = report.minima.front().compute;
  const double ratio = kBeyondBudgets * report.minima.back().compute / low;
  std::vector<double> computes;
  for (int i = 0; i <= kBandPlaces; ++i)
    computes.push_back(low * std::pow(ratio, static_cast<double>(i) / kBandPlaces));
  return computes;
}

/// An approach's interval as an area, and its line; each place of the line is a row. False without an interval.
bool add_approach(Figure& figure, const IsoflopReport& report, const Approach& approach, const Optimum& optimum,
                  double exponent) {
  Series area{"", {}, Series::Look::kArea};
  Series line{fmt::format("{}: C^{:.3f}", approach.name, exponent), {}, Series::Look::kLine};
  std::vector<FigurePoint> upper;
  for (const double compute : computes_of(report)) {
    const double value = ((*approach.allocation).*optimum.at)(compute);
    const auto interval = (approach.*optimum.interval)(compute);
    line.points.push_back({compute, value, ""});
    figure.table.rows.push_back({approach.name, compute, value, interval ? common::Json(interval->low) : nullptr,
                                 interval ? common::Json(interval->high) : nullptr});
    if (!interval) continue;
    area.points.push_back({compute, interval->low, ""});
    upper.push_back({compute, interval->high, ""});
  }
  area.points.insert(area.points.end(), upper.rbegin(), upper.rend());
  const bool has_band = !area.points.empty();
  if (has_band) figure.series.push_back(std::move(area));
  figure.series.push_back(std::move(line));
  return has_band;
}

Figure optimum_figure(const IsoflopReport& report, const Optimum& optimum, double Allocation::*exponent) {
  Figure figure;
  figure.name = optimum.name;
  figure.x = {"training FLOPs", true, {}, std::pair(report.minima.front().compute, report.minima.back().compute)};
  figure.y = {"best " + optimum.label, true, {}};
  figure.table.columns = {{"what"},
                          {"compute", Kind::kNumber},
                          {optimum.label, Kind::kNumber},
                          {"low_95", Kind::kNumber},
                          {"high_95", Kind::kNumber}};
  Series minima{"isoFLOP minima", {}, Series::Look::kPoints};
  for (const BudgetMinimum& budget : report.minima) {
    if (!budget.why_dropped.empty()) continue;
    minima.points.push_back({budget.compute, budget.*optimum.of_minimum, ""});
    figure.table.rows.push_back({minima.name, budget.compute, budget.*optimum.of_minimum, nullptr, nullptr});
  }
  if (!minima.points.empty()) figure.series.push_back(std::move(minima));
  bool has_bands = false;
  for (const Approach& approach : report.approaches) {
    if (!approach.allocation) continue;
    has_bands |= add_approach(figure, report, approach, optimum, (*approach.allocation).*exponent);
  }
  figure.title = fmt::format("best {} by training compute{}; shaded: beyond the data", optimum.label,
                             has_bands ? ", with 95 % bands" : "");
  return figure;
}

}  // namespace

Figure optimum_by_compute(const IsoflopReport& report) {
  return optimum_figure(
      report, {"optimum_by_compute", report.n_name, &BudgetMinimum::n, &Allocation::n_at, &Approach::n_interval},
      &Allocation::a);
}

Figure data_by_compute(const IsoflopReport& report) {
  return optimum_figure(report,
                        {"data_by_compute", report.d_name, &BudgetMinimum::d, &Allocation::d_at, &Approach::d_interval},
                        &Allocation::b);
}

namespace {

/// A range of positive values, walked in equal ratios.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  [[nodiscard]] Range widened(double factor) const { return {low / factor, high * factor}; }
  [[nodiscard]] bool contains(double value) const { return low <= value && value <= high; }
  [[nodiscard]] double at(double part) const { return low * std::pow(high / low, part); }
};

/// Where the surface has the value `level`: D over N, as far as both lie in their ranges.
Series contour(const Law& surface, double level, const Range& n, const Range& d) {
  constexpr int kSteps = 200;
  Series line{"", {}, Series::Look::kContour};
  for (int i = 0; i <= kSteps; ++i) {
    const double size = n.at(static_cast<double>(i) / kSteps);
    const double rest = level - surface.value("E") - surface.value("A") * std::pow(size, -surface.value("alpha"));
    const double data = rest > 0 ? std::pow(rest / surface.value("B"), -1 / surface.value("beta")) : 0;
    if (d.contains(data)) line.points.push_back({size, data, ""});
  }
  if (!line.points.empty()) line.points.back().label = fmt::format("{:.3g}", level);
  return line;
}

}  // namespace

Figure surface_contours(const IsoflopReport& report) {
  constexpr int kLevels = 8;
  constexpr double kRoom = 1.5;
  Figure figure;
  figure.name = "surface_contours";
  if (!report.surface) return figure;
  const Law& surface = report.surface->law();
  figure.title = fmt::format("{}: fitted surface, runs and compute-optimal path", report.y_name);
  figure.x = {report.n_name, true, {}};
  figure.y = {report.d_name, true, {}};
  figure.table.columns = {{"what"}, {"n", Kind::kNumber}, {"d", Kind::kNumber}, {"y", Kind::kNumber}};
  Range n, d, above_floor, compute;
  Series runs{"runs", {}, Series::Look::kPoints};
  for (const BudgetPoint& one : report.points) {
    n.include(one.point.x);
    d.include(one.point.d);
    compute.include(one.compute);
    above_floor.include(surface.at(one.point.x, one.point.d) - surface.value("E"));
    runs.points.push_back({one.point.x, one.point.d, ""});
    figure.table.rows.push_back({"run", one.point.x, one.point.d, one.point.y});
  }
  const auto add = [&](Series series, const std::string& what) {
    for (const FigurePoint& p : series.points) figure.table.rows.push_back({what, p.x, p.y, surface.at(p.x, p.y)});
    if (!series.points.empty()) figure.series.push_back(std::move(series));
  };
  for (int i = 0; i < kLevels; ++i) {
    const double level = surface.value("E") + above_floor.at((i + 0.5) / kLevels);
    add(contour(surface, level, n.widened(kRoom), d.widened(kRoom)), "contour");
  }
  figure.series.push_back(std::move(runs));
  if (const auto& best = report.approaches.back().allocation) {
    Series path{"compute-optimal", {}, Series::Look::kLaw};
    for (const double c : {compute.low, compute.high}) path.points.push_back({best->n_at(c), best->d_at(c), ""});
    add(std::move(path), "compute-optimal");
  }
  return figure;
}

}  // namespace ditscale::analysis
