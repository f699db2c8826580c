#include "analysis/fits/isoflop.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <Eigen/QR>
#include <fmt/format.h>

#include "analysis/statistics/summary.hpp"

namespace ditscale::analysis {

namespace {

using Budget = std::vector<BudgetPoint>;

std::vector<Budget> budgets_of(std::span<const BudgetPoint> points) {
  std::vector<BudgetPoint> sorted(points.begin(), points.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& one, const auto& other) { return one.compute < other.compute; });
  std::vector<Budget> budgets;
  for (const BudgetPoint& point : sorted) {
    if (budgets.empty() || point.compute > kSameBudget * budgets.back().front().compute) budgets.emplace_back();
    budgets.back().push_back(point);
  }
  return budgets;
}

double geometric_mean(const Budget& budget, double (*value)(const BudgetPoint&)) {
  double sum = 0;
  for (const BudgetPoint& point : budget) sum += std::log(value(point));
  return std::exp(sum / static_cast<double>(budget.size()));
}

struct Line {
  double intercept = 0;
  double slope = 0;
};

/// Least squares; the xs differ.
Line line_through(std::span<const double> xs, std::span<const double> ys) {
  const double x_mean = *mean(xs);
  const double y_mean = *mean(ys);
  double xx = 0;
  double xy = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    xx += (xs[i] - x_mean) * (xs[i] - x_mean);
    xy += (xs[i] - x_mean) * (ys[i] - y_mean);
  }
  const double slope = xy / xx;
  return {y_mean - slope * x_mean, slope};
}

/// y = c0 + c1 t + c2 t², t = log N - `centre`.
Eigen::Vector3d parabola(const Budget& budget, double centre) {
  const auto count = static_cast<Eigen::Index>(budget.size());
  Eigen::MatrixXd terms(count, 3);
  Eigen::VectorXd ys(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const FitPoint& point = budget[static_cast<std::size_t>(i)].point;
    const double t = std::log(point.x) - centre;
    terms.row(i) << 1, t, t * t;
    ys[i] = point.y;
  }
  return terms.colPivHouseholderQr().solve(ys);
}

/// D at the minimum: log D is nearly linear in log N within a budget.
double data_at(const Budget& budget, double n) {
  std::vector<double> log_ns;
  std::vector<double> log_ds;
  for (const BudgetPoint& point : budget) {
    log_ns.push_back(std::log(point.point.x));
    log_ds.push_back(std::log(point.point.d));
  }
  const Line line = line_through(log_ns, log_ds);
  return std::exp(line.intercept + line.slope * std::log(n));
}

/// Why a minimum of this height is none of a score; empty when it may be one.
std::string why_impossible(const Budget& budget, double height) {
  const auto by_score = [](const auto& one, const auto& other) { return one.point.y < other.point.y; };
  const auto [low, high] = std::minmax_element(budget.begin(), budget.end(), by_score);
  const double lowest = low->point.y;
  const double spread = high->point.y - lowest;
  if (height > 0 && lowest - height <= spread) return "";
  return fmt::format(
      "the parabola falls to {:.4g}, far below the lowest score {:.4g}: run sizes between these, at this budget",
      height, lowest);
}

BudgetMinimum minimum_of(const Budget& budget) {
  BudgetMinimum result;
  result.points = budget;
  result.compute = geometric_mean(budget, [](const BudgetPoint& p) { return p.compute; });
  std::vector<double> sizes;
  for (const BudgetPoint& point : budget) sizes.push_back(point.point.x);
  result.num_sizes = count_distinct(sizes);
  result.smallest_n = *std::min_element(sizes.begin(), sizes.end());
  result.largest_n = *std::max_element(sizes.begin(), sizes.end());
  if (result.num_sizes < kParabolaSizes) {
    result.why_dropped =
        fmt::format("{} size{}; a parabola needs {}, and {} to be trusted: run more sizes at this budget",
                    result.num_sizes, result.num_sizes == 1 ? "" : "s", kParabolaSizes, kFewestSizes);
    return result;
  }
  const double centre = std::log(geometric_mean(budget, [](const BudgetPoint& p) { return p.point.x; }));
  const Eigen::Vector3d c = parabola(budget, centre);
  result.curvature = c[2];
  if (!(c[2] > 0)) {
    result.why_dropped = "the parabola has no minimum: run smaller and larger sizes at this budget";
    return result;
  }
  const double t = -c[1] / (2 * c[2]);
  result.n = std::exp(centre + t);
  result.y = c[0] - c[1] * c[1] / (4 * c[2]);
  const auto best = std::min_element(budget.begin(), budget.end(),
                                     [](const auto& one, const auto& other) { return one.point.y < other.point.y; });
  const bool edge = best->point.x == result.smallest_n || best->point.x == result.largest_n;
  if (edge || result.n <= result.smallest_n || result.n >= result.largest_n) {
    result.why_dropped = fmt::format("the minimum lies at the edge of the sizes: run {} sizes at this budget",
                                     t < 0 ? "smaller" : "larger");
    return result;
  }
  result.why_dropped = why_impossible(budget, result.y);
  if (!result.why_dropped.empty()) return result;
  result.d = data_at(budget, result.n);
  return result;
}

std::optional<Allocation> allocation_through(std::span<const double> log_cs, std::span<const double> log_ns,
                                             std::span<const double> log_ds) {
  if (count_distinct(log_cs) < 2) return std::nullopt;
  const Line n = line_through(log_cs, log_ns);
  const Line d = line_through(log_cs, log_ds);
  return Allocation{std::exp(n.intercept), n.slope, std::exp(d.intercept), d.slope};
}

/// A size's curve: log y by log compute.
struct SizeCurve {
  double n = 0;
  std::vector<std::pair<double, double>> places;
  [[nodiscard]] std::optional<double> at(double log_c) const {
    for (std::size_t i = 1; i < places.size(); ++i) {
      const auto& [c0, y0] = places[i - 1];
      const auto& [c1, y1] = places[i];
      if (log_c >= c0 && log_c <= c1 && c1 > c0) return y0 + (y1 - y0) * (log_c - c0) / (c1 - c0);
    }
    return std::nullopt;
  }
};

std::vector<SizeCurve> curves_by_size(std::span<const BudgetPoint> points) {
  std::map<double, SizeCurve> by_size;
  for (const BudgetPoint& point : points) {
    SizeCurve& curve = by_size[point.point.x];
    curve.n = point.point.x;
    curve.places.emplace_back(std::log(point.compute), std::log(point.point.y));
  }
  std::vector<SizeCurve> curves;
  for (auto& [unused, curve] : by_size) {
    std::sort(curve.places.begin(), curve.places.end());
    if (curve.places.size() > 1) curves.push_back(std::move(curve));
  }
  return curves;
}

/// The size that is lowest at this compute; empty where it is the smallest or the largest of those that reach it.
std::optional<double> winner_at(const std::vector<SizeCurve>& curves, double log_c) {
  std::vector<std::pair<double, double>> reached;  // log y, N
  for (const SizeCurve& curve : curves) {
    if (const auto y = curve.at(log_c)) reached.emplace_back(*y, curve.n);
  }
  if (reached.size() < 3) return std::nullopt;
  const double n = std::min_element(reached.begin(), reached.end())->second;
  return n == reached.front().second || n == reached.back().second ? std::nullopt : std::optional(n);
}

}  // namespace

double Allocation::n_at(double compute) const { return n_factor * std::pow(compute, a); }
double Allocation::d_at(double compute) const { return d_factor * std::pow(compute, b); }

std::vector<BudgetMinimum> budget_minima(std::span<const BudgetPoint> points) {
  std::vector<BudgetMinimum> minima;
  for (const Budget& budget : budgets_of(points)) minima.push_back(minimum_of(budget));
  return minima;
}

std::optional<Allocation> allocation_of(std::span<const BudgetMinimum> minima) {
  std::vector<double> cs;
  std::vector<double> ns;
  std::vector<double> ds;
  for (const BudgetMinimum& minimum : minima) {
    if (!minimum.why_dropped.empty()) continue;
    cs.push_back(std::log(minimum.compute));
    ns.push_back(std::log(minimum.n));
    ds.push_back(std::log(minimum.d));
  }
  return allocation_through(cs, ns, ds);
}

std::optional<Allocation> envelope_allocation(std::span<const BudgetPoint> points) {
  constexpr int kPlaces = 200;
  const std::vector<SizeCurve> curves = curves_by_size(points);
  if (curves.size() < 3) return std::nullopt;
  double low = std::log(points.front().compute);
  double high = low;
  for (const BudgetPoint& point : points) {
    low = std::min(low, std::log(point.compute));
    high = std::max(high, std::log(point.compute));
  }
  const double per_unit = compute_per_unit(points);
  std::vector<double> cs;
  std::vector<double> ns;
  std::vector<double> ds;
  for (int i = 0; i < kPlaces; ++i) {
    const double log_c = low + (high - low) * i / (kPlaces - 1);
    const auto n = winner_at(curves, log_c);
    if (!n) continue;
    cs.push_back(log_c);
    ns.push_back(std::log(*n));
    ds.push_back(log_c - std::log(per_unit * *n));
  }
  if (count_distinct(ns) < 3) return std::nullopt;
  return allocation_through(cs, ns, ds);
}

std::optional<Allocation> surface_allocation(const Law& surface, double per_unit) {
  const double alpha = surface.value("alpha");
  const double beta = surface.value("beta");
  if (!(alpha > 0) || !(beta > 0) || !(surface.value("A") > 0) || !(surface.value("B") > 0)) return std::nullopt;
  const double g = std::pow(alpha * surface.value("A") / (beta * surface.value("B")), 1 / (alpha + beta));
  const double a = beta / (alpha + beta);
  const double b = alpha / (alpha + beta);
  return Allocation{g * std::pow(per_unit, -a), a, std::pow(per_unit, -b) / g, b};
}

double compute_per_unit(std::span<const BudgetPoint> points) {
  std::vector<double> ratios;
  for (const BudgetPoint& point : points) ratios.push_back(point.compute / (point.point.x * point.point.d));
  return *median(ratios);
}

std::optional<Allocation> noise_free_allocation(std::span<const BudgetPoint> points, const Law& surface) {
  std::vector<BudgetPoint> exact(points.begin(), points.end());
  for (BudgetPoint& point : exact) point.point.y = surface.at(point.point.x, point.point.d);
  return allocation_of(budget_minima(exact));
}

}  // namespace ditscale::analysis
