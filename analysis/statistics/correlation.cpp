#include "analysis/statistics/correlation.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/statistics/summary.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {
constexpr std::size_t kFewestPoints = 3;
/// 97.5 % quantile of the normal distribution.
constexpr double kNormalQuantile = 1.959963984540054;

/// By the values themselves: their mean is rounded, so deviations from it are not 0.
bool constant(std::span<const double> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low == *high;
}
}  // namespace

std::optional<double> pearson(std::span<const double> x, std::span<const double> y) {
  DITSCALE_CHECK(x.size() == y.size(), "series of {} and {} values", x.size(), y.size());
  if (x.size() < kFewestPoints || constant(x) || constant(y)) return std::nullopt;
  const double mean_x = *mean(x);
  const double mean_y = *mean(y);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (xx == 0 || yy == 0) return std::nullopt;  // squares too small for a number
  return xy / std::sqrt(xx * yy);
}

std::optional<double> spearman(std::span<const double> x, std::span<const double> y) {
  return pearson(ranks(x), ranks(y));
}

std::optional<Interval> fisher_interval(double r, std::size_t n) {
  if (n < 4 || std::abs(r) >= 1) return std::nullopt;
  const double z = std::atanh(r);
  const double half = kNormalQuantile / std::sqrt(static_cast<double>(n) - 3);
  return Interval{std::tanh(z - half), std::tanh(z + half)};
}

}  // namespace ditscale::analysis
