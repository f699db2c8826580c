#pragma once

#include "worker/diffusion/noise_schedule.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Per-image losses of noise prediction; all (N), float32.
struct DiffusionLoss {
  torch::Tensor total;
  /// Mean squared error of the noise over C, S, S.
  torch::Tensor simple;
  /// Variational bound in bits per element; undefined when the variance is not learned.
  torch::Tensor vlb;
};

/// Noise prediction with a learned variance (paper, section 3.1; Nichol & Dhariwal 2021, equations 15 and 16, with
/// weight 1). The predicted mean does not learn through the bound. Shapes: x (N, C, S, S), t (N) int64.
class DiffusionObjective {
 public:
  DiffusionObjective(NoiseSchedule schedule, bool learn_variance, torch::Device device);

  [[nodiscard]] const NoiseSchedule& schedule() const { return schedule_; }
  /// x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise.
  [[nodiscard]] torch::Tensor add_noise(const torch::Tensor& x0, const torch::Tensor& noise,
                                        const torch::Tensor& t) const;
  /// `output` is the model's (N, C or 2 C, S, S) at x_t.
  [[nodiscard]] DiffusionLoss loss(const torch::Tensor& output, const torch::Tensor& x0, const torch::Tensor& xt,
                                   const torch::Tensor& noise, const torch::Tensor& t) const;
  /// The variational term alone, bits per element, (N).
  [[nodiscard]] torch::Tensor variational_bits(const torch::Tensor& predicted_noise,
                                               const torch::Tensor& variance_output, const torch::Tensor& x0,
                                               const torch::Tensor& xt, const torch::Tensor& t) const;

 private:
  /// Values of a table at t, (N, 1, 1, 1).
  [[nodiscard]] torch::Tensor at(const torch::Tensor& table, const torch::Tensor& t) const;

  NoiseSchedule schedule_;
  bool learn_variance_;
  // (T) each, float32, on the device
  torch::Tensor signal_, noise_, x0_from_xt_, x0_from_noise_, mean_from_x0_, mean_from_xt_, log_beta_,
      posterior_log_variance_;
};

/// Log-likelihood (nats) of x in [-1, 1] under a Gaussian, integrated over bins of 1/255 half-width with open tails
/// beyond ±0.999.
[[nodiscard]] torch::Tensor discretised_gaussian_log_likelihood(const torch::Tensor& x, const torch::Tensor& mean,
                                                                const torch::Tensor& log_scale);

}  // namespace ditscale::worker
