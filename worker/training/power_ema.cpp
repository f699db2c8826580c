#include "worker/training/power_ema.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

double sigma_rel_of(double gamma) { return std::sqrt((gamma + 1) / ((gamma + 2) * (gamma + 2) * (gamma + 3))); }

/// Inner product of two profiles (appendix C.3).
double inner_product(const PowerProfile& a, const PowerProfile& b) {
  const double log_steps = (a.gamma + b.gamma + 1) * std::log(std::min(a.step, b.step)) -
                           (a.gamma + 1) * std::log(a.step) - (b.gamma + 1) * std::log(b.step);
  return (a.gamma + 1) * (b.gamma + 1) / (a.gamma + b.gamma + 1) * std::exp(log_steps);
}

}  // namespace

double power_ema_exponent(double sigma_rel) {
  DITSCALE_CHECK(sigma_rel > 0 && sigma_rel <= kLargestSigmaRel, "an average of relative width {}", sigma_rel);
  double low = 0, high = 1.0 / sigma_rel;  // sigma_rel falls with gamma, below 1 / gamma
  for (int halving = 0; halving < 200; ++halving) {
    const double middle = 0.5 * (low + high);
    (sigma_rel_of(middle) > sigma_rel ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

void update_power_ema(const torch::Tensor& average, const torch::Tensor& weights, double gamma, std::int64_t step) {
  const double beta = std::pow(1.0 - 1.0 / static_cast<double>(step), gamma + 1);
  average.lerp_(weights, 1.0 - beta);
}

std::vector<double> post_hoc_factors(const std::vector<PowerProfile>& stored, const PowerProfile& wanted) {
  DITSCALE_CHECK(!stored.empty(), "no stored averages");
  const auto n = static_cast<std::int64_t>(stored.size());
  const auto options = torch::dtype(torch::kFloat64);
  const auto matrix = torch::empty({n, n}, options), target = torch::empty({n, 1}, options);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j)
      matrix[i][j] = inner_product(stored[static_cast<std::size_t>(i)], stored[static_cast<std::size_t>(j)]);
    target[i][0] = inner_product(stored[static_cast<std::size_t>(i)], wanted);
  }
  // The profiles of many stored averages are nearly dependent: the smallest solution, by singular values.
  const auto solution = std::get<0>(at::linalg_lstsq(matrix, target, 1e-12, "gelsd")).contiguous();
  const auto* values = solution.const_data_ptr<double>();
  return {values, values + n};
}

}  // namespace ditscale::worker
