#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// Averages of the weights whose profile over training is a power function, and the rebuilding of other such averages
/// from stored ones after training (Karras et al. 2024, "Analyzing and improving the training dynamics of diffusion
/// models", section 3 and appendix C). The width sigma_rel is the profile's standard deviation over the length of
/// training.

/// The two averages that are kept.
inline constexpr std::array<double, 2> kStoredSigmaRel{0.05, 0.10};
/// Widths are below this: a profile that weighs all of training alike.
inline constexpr double kLargestSigmaRel = 0.28;

/// Exponent gamma of the profile t^gamma of that width (equation 126's inverse). `sigma_rel` above 0 to
/// `kLargestSigmaRel`.
[[nodiscard]] double power_ema_exponent(double sigma_rel);

/// Moves `average` on by step `step` = 1, 2, …: average = beta average + (1 - beta) weights, beta = (1 -
/// 1/step)^(gamma+1) (equation 127). After step 1 it equals the weights.
void update_power_ema(const torch::Tensor& average, const torch::Tensor& weights, double gamma, std::int64_t step);

/// One stored average: its exponent, and the step after which it was taken.
struct PowerProfile {
  double gamma = 0;
  double step = 0;
};

/// Factors, one for each stored average, whose sum of products comes closest (least squares over the profiles; appendix
/// C.3) to the average `wanted`. All steps are 1 or more; `stored` is not empty.
[[nodiscard]] std::vector<double> post_hoc_factors(const std::vector<PowerProfile>& stored, const PowerProfile& wanted);

}  // namespace ditscale::worker
