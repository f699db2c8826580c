#include "worker/diffusion/discretised_gaussian.hpp"

#include <numbers>

namespace ditscale::worker {

using torch::Tensor;

namespace {

/// Standard normal distribution function.
Tensor normal_cdf(const Tensor& x) { return 0.5 * (1.0 + torch::erf(x * (1.0 / std::numbers::sqrt2))); }

}  // namespace

Tensor discretised_gaussian_log_likelihood(const Tensor& x, const Tensor& mean, const Tensor& log_scale) {
  constexpr double kHalfBin = 1.0 / 255.0, kTail = 0.999, kFloor = 1e-12;
  const auto inverse_scale = torch::exp(-log_scale);
  const auto upper = normal_cdf((x - mean + kHalfBin) * inverse_scale);
  const auto lower = normal_cdf((x - mean - kHalfBin) * inverse_scale);
  const auto inside = (upper - lower).clamp_min(kFloor).log();
  const auto left_tail = upper.clamp_min(kFloor).log();
  const auto right_tail = (1.0 - lower).clamp_min(kFloor).log();
  return torch::where(x < -kTail, left_tail, torch::where(x > kTail, right_tail, inside));
}

}  // namespace ditscale::worker
