#include "analysis/figures/isoflop_figures.hpp"

#include <algorithm>

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
    Series series{fmt::format("{:.2g} FLOPs", budget.compute), {}, Series::Look::kPointsAndLine};
    for (const BudgetPoint& point : report.points) {
      if (point.compute > budget.compute * kSameBudget || point.compute < budget.compute / kSameBudget) continue;
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

Figure optimum_by_compute(const IsoflopReport& report) {
  Figure figure;
  figure.name = "optimum_by_compute";
  figure.title = fmt::format("best {} by training compute", report.n_name);
  figure.x = {"training FLOPs", true, {}};
  figure.y = {"best " + report.n_name, true, {}};
  figure.table.columns = {{"budget", Kind::kNumber}, {"n", Kind::kNumber}, {"d", Kind::kNumber}};
  Series minima{"isoFLOP minima", {}, Series::Look::kPoints};
  for (const BudgetMinimum& budget : report.minima) {
    if (!budget.why_dropped.empty()) continue;
    minima.points.push_back({budget.compute, budget.n, ""});
    figure.table.rows.push_back({budget.compute, budget.n, budget.d});
  }
  figure.series.push_back(std::move(minima));
  const double low = report.minima.front().compute;
  const double high = report.minima.back().compute;
  for (const Approach& approach : report.approaches) {
    if (!approach.allocation) continue;
    Series line{fmt::format("{}: C^{:.3f}", approach.name, approach.allocation->a), {}, Series::Look::kLine};
    for (const double compute : {low, high}) line.points.push_back({compute, approach.allocation->n_at(compute), ""});
    figure.series.push_back(std::move(line));
  }
  return figure;
}

}  // namespace ditscale::analysis
