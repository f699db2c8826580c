#pragma once

#include "common/error.hpp"
#include "sweeps/spec/objective_spec.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// The place of x = signal x_0 + deviation noise on a ddpm's way. `Number` is double (one level for all images) or a
/// tensor (N, 1, 1, 1).
template <typename Number>
struct NoiseLevel {
  Number signal;           // sqrt(alpha_bar)
  Number deviation;        // sqrt(1 - alpha_bar)
  Number inverse_signal;   // sqrt(1 / alpha_bar)
  Number deviation_ratio;  // sqrt(1 / alpha_bar - 1)
};

/// What a model at this level is trained to put out: the noise, the clean image, or v = signal · noise - deviation ·
/// x_0 (Salimans & Ho 2022, appendix D).
template <typename Number>
[[nodiscard]] torch::Tensor prediction_target(sweeps::Prediction prediction, const NoiseLevel<Number>& level,
                                              const torch::Tensor& x0, const torch::Tensor& noise) {
  switch (prediction) {
    case sweeps::Prediction::kNoise:
      return noise;
    case sweeps::Prediction::kX0:
      return x0;
    case sweeps::Prediction::kV:
      return level.signal * noise - level.deviation * x0;
  }
  throw common::InternalError("a prediction without a target");
}

/// The x_0 that this output implies at x.
template <typename Number>
[[nodiscard]] torch::Tensor implied_x0(sweeps::Prediction prediction, const NoiseLevel<Number>& level,
                                       const torch::Tensor& x, const torch::Tensor& output) {
  switch (prediction) {
    case sweeps::Prediction::kNoise:
      return level.inverse_signal * x - level.deviation_ratio * output;
    case sweeps::Prediction::kX0:
      return output;
    case sweeps::Prediction::kV:
      return level.signal * x - level.deviation * output;
  }
  throw common::InternalError("a prediction that implies no image");
}

/// The noise that this output implies at x.
template <typename Number>
[[nodiscard]] torch::Tensor implied_noise(sweeps::Prediction prediction, const NoiseLevel<Number>& level,
                                          const torch::Tensor& x, const torch::Tensor& output) {
  switch (prediction) {
    case sweeps::Prediction::kNoise:
      return output;
    case sweeps::Prediction::kX0:
      return (x - level.signal * output) / level.deviation;
    case sweeps::Prediction::kV:
      return level.deviation * x + level.signal * output;
  }
  throw common::InternalError("a prediction that implies no noise");
}

}  // namespace ditscale::worker
