#include "analysis/fits/law_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include <ceres/ceres.h>
#include <glog/logging.h>

#include "analysis/statistics/summary.hpp"

namespace ditscale::analysis {

namespace {

/// Smallest exponent looked for with a floor: below it the law is a straight line in log x, which a floor cannot fit.
constexpr double kSmallestExponent = 1e-3;
constexpr int kGridSize = 160;
/// exp() of more, and of less, has no use as a normalised score.
constexpr double kLargestPower = 300;
/// Grid points that are polished.
constexpr std::size_t kNumStarts = 6;
constexpr int kMaxIterations = 2000;

/// Points in units of their geometric means: x = exp(u) · x_mean, y = exp(v) · y_mean. Parameters are then of order 1.
struct Normalised {
  std::vector<double> u;
  std::vector<double> v;
  double log_x_mean = 0;
  double log_y_mean = 0;
};

Normalised normalise(std::span<const FitPoint> points) {
  Normalised n;
  for (const FitPoint& point : points) {
    n.u.push_back(std::log(point.x));
    n.v.push_back(std::log(point.y));
  }
  n.log_x_mean = *mean(n.u);
  n.log_y_mean = *mean(n.v);
  for (double& u : n.u) u -= n.log_x_mean;
  for (double& v : n.v) v -= n.log_y_mean;
  return n;
}

/// log factor, exponent, floor; of the normalised points.
using Parameters = std::array<double, 3>;

/// log(exp(a - alpha u) + floor) - v
struct LogResidual {
  double u;
  double v;
  /// False where the law overflows or vanishes: the search then takes a shorter step.
  template <typename T>
  bool operator()(const T* parameters, T* residual) const {
    using std::exp;
    using std::log;
    const T power = parameters[0] - parameters[1] * u;
    if (power > T(kLargestPower) || power < T(-kLargestPower)) return false;
    residual[0] = log(exp(power) + parameters[2]) - v;
    return true;
  }
};

/// Without a floor the residual is linear: a - alpha u - v.
struct LineResidual {
  double u;
  double v;
  template <typename T>
  bool operator()(const T* parameters, T* residual) const {
    residual[0] = parameters[0] - parameters[1] * u - v;
    return true;
  }
};

struct Solution {
  Parameters parameters{};
  double objective = std::numeric_limits<double>::infinity();
};

ceres::Solver::Options scale_free_options() {
  // Ceres logs some failed starts as errors even when told to be silent. A failed start is counted here, not news.
  FLAGS_minloglevel = google::GLOG_FATAL;
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_QR;
  options.logging_type = ceres::SILENT;
  options.max_num_iterations = kMaxIterations;
  // Relative rules only: an absolute one on the gradient would stop early on a small objective.
  options.gradient_tolerance = 0;
  options.function_tolerance = 1e-16;
  options.parameter_tolerance = 1e-14;
  // The damping follows the size of the residuals alone; Ceres's defaults mix in constants of order 1e-6 and 1.
  options.min_lm_diagonal = 1e-32;
  options.jacobi_scaling = false;
  return options;
}

Solution polish(const Normalised& n, const FitOptions& options, Parameters start) {
  ceres::Problem::Options ownership;
  ownership.loss_function_ownership = ceres::DO_NOT_TAKE_OWNERSHIP;
  std::unique_ptr<ceres::LossFunction> huber;
  if (options.huber_delta) huber = std::make_unique<ceres::HuberLoss>(*options.huber_delta);
  ceres::ScaledLoss loss(huber.get(), options.objective_scale, ceres::DO_NOT_TAKE_OWNERSHIP);

  ceres::Problem problem(ownership);
  double* values = start.data();
  for (std::size_t i = 0; i < n.u.size(); ++i) {
    ceres::CostFunction* cost = nullptr;
    if (options.with_floor) {
      cost = new ceres::AutoDiffCostFunction<LogResidual, 1, 3>(new LogResidual{n.u[i], n.v[i]});
    } else {
      cost = new ceres::AutoDiffCostFunction<LineResidual, 1, 2>(new LineResidual{n.u[i], n.v[i]});
    }
    problem.AddResidualBlock(cost, &loss, values);
  }
  if (options.with_floor) {
    problem.SetParameterLowerBound(values, 1, kSmallestExponent);
    problem.SetParameterUpperBound(values, 1, kLargestExponent);
    problem.SetParameterLowerBound(values, 2, 0);
  }
  ceres::Solver::Summary summary;
  ceres::Solve(scale_free_options(), &problem, &summary);
  // Ceres halves the sum of the losses.
  return {start, 2 * summary.final_cost / options.objective_scale};
}

/// Straight line through (u, v): the least-squares law without floor, and the start for Huber's loss.
Parameters line_through(const Normalised& n) {
  double uu = 0;
  double uv = 0;
  for (std::size_t i = 0; i < n.u.size(); ++i) {
    uu += n.u[i] * n.u[i];
    uv += n.u[i] * n.v[i];
  }
  return {0.0, -uv / uu, 0.0};
}

/// For a given exponent the law is linear in floor and factor: weighted least squares (weights 1/y² make it close to
/// the log residual), with both kept from going negative.
Parameters project(const Normalised& n, double exponent) {
  double ff = 0;
  double f1 = 0;
  double w1 = 0;
  double fy = 0;
  double wy = 0;
  for (std::size_t i = 0; i < n.u.size(); ++i) {
    const double y = std::exp(n.v[i]);
    const double f = std::exp(-exponent * n.u[i]);
    const double weight = 1 / (y * y);
    ff += weight * f * f;
    f1 += weight * f;
    w1 += weight;
    fy += weight * f * y;
    wy += weight * y;
  }
  const double determinant = ff * w1 - f1 * f1;
  double factor = (fy * w1 - wy * f1) / determinant;
  double floor = (ff * wy - f1 * fy) / determinant;
  if (!(determinant > 0) || floor < 0) {
    floor = 0;
    factor = fy / ff;
  }
  factor = std::max(factor, 1e-12);
  return {std::log(factor), exponent, floor};
}

double objective_of(const Normalised& n, const FitOptions& options, const Parameters& p) {
  double sum = 0;
  for (std::size_t i = 0; i < n.u.size(); ++i) {
    double residual = 0;
    if (!LogResidual{n.u[i], n.v[i]}(p.data(), &residual)) return std::numeric_limits<double>::infinity();
    const double square = residual * residual;
    const double delta = options.huber_delta.value_or(std::numeric_limits<double>::infinity());
    sum += std::abs(residual) <= delta ? square : 2 * delta * std::abs(residual) - delta * delta;
  }
  return sum;
}

/// The best starts of a grid over the exponent, best first; one of them without a floor.
std::vector<Parameters> starts_with_floor(const Normalised& n, const FitOptions& options) {
  std::vector<std::pair<double, Parameters>> grid;
  const double ratio = std::pow(kLargestExponent / kSmallestExponent, 1.0 / (kGridSize - 1));
  double exponent = kSmallestExponent;
  for (int i = 0; i < kGridSize; ++i, exponent *= ratio) {
    const Parameters p = project(n, std::min(exponent, kLargestExponent));
    grid.emplace_back(objective_of(n, options, p), p);
  }
  std::sort(grid.begin(), grid.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Parameters> starts;
  for (std::size_t i = 0; i < grid.size(); i += i < kNumStarts / 2 ? 1 : grid.size() / kNumStarts) {
    starts.push_back(grid[i].second);
  }
  Parameters line = line_through(n);
  line[1] = std::clamp(line[1], kSmallestExponent, kLargestExponent);
  starts.push_back(line);
  return starts;
}

PowerLaw in_data_units(const Normalised& n, const Parameters& p) {
  PowerLaw law;
  law.exponent = p[1];
  law.floor = p[2] * std::exp(n.log_y_mean);
  law.factor = std::exp(p[0] + n.log_y_mean + p[1] * n.log_x_mean);
  return law;
}

}  // namespace

FoundLaw search_law(std::span<const FitPoint> points, const FitOptions& options) {
  const Normalised n = normalise(points);
  if (!options.with_floor && !options.huber_delta) {
    const Parameters line = line_through(n);  // the normal equations: nothing to search
    return {in_data_units(n, line), objective_of(n, options, line)};
  }
  const std::vector<Parameters> starts =
      options.with_floor ? starts_with_floor(n, options) : std::vector<Parameters>{line_through(n)};
  Solution best;
  for (const Parameters& start : starts) {
    const Solution solution = polish(n, options, start);
    if (solution.objective < best.objective) best = solution;
  }
  return {in_data_units(n, best.parameters), best.objective};
}

}  // namespace ditscale::analysis
