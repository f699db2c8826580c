#include "analysis/statistics/student.hpp"

#include <cmath>
#include <numbers>

#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

/// P(|T| <= t): the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4.
double central_part(double t, int freedom) {
  const double theta = std::atan(t / std::sqrt(static_cast<double>(freedom)));
  const double cosine = std::cos(theta);
  const bool odd = freedom % 2 == 1;
  double term = odd ? cosine : 1;
  double sum = freedom == 1 ? 0 : term;
  for (int i = odd ? 3 : 2; i < freedom - 1; i += 2) {
    term *= cosine * cosine * (i - 1) / i;
    sum += term;
  }
  const double part = std::sin(theta) * sum;
  return odd ? 2 / std::numbers::pi * (theta + part) : part;
}

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double student_quantile(double p, int freedom) {
  DITSCALE_CHECK(p > 0 && p < 1 && freedom >= 1, "quantile {} of t with {} degrees of freedom", p, freedom);
  if (p < 0.5) return -student_quantile(1 - p, freedom);
  double low = 0;
  double high = 1;
  while (0.5 + 0.5 * central_part(high, freedom) < p) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 + 0.5 * central_part(middle, freedom) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace ditscale::analysis
