#pragma once

#include "worker/torch.hpp"

namespace ditscale::worker {

/// Log-likelihood (nats) of x in [-1, 1] under a Gaussian, integrated over bins of 1/255 half-width with open tails
/// beyond ±0.999.
[[nodiscard]] torch::Tensor discretised_gaussian_log_likelihood(const torch::Tensor& x, const torch::Tensor& mean,
                                                                const torch::Tensor& log_scale);

}  // namespace ditscale::worker
