#pragma once

#include <optional>

#include "worker/diffusion/noise_schedule.hpp"
#include "worker/diffusion/objective.hpp"
#include "worker/diffusion/prediction.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Denoising in discrete timesteps: mean squared error of the noise, the image or v, weighted by min-SNR when asked,
/// and the bound that trains a learned variance (paper, section 3.1; Nichol & Dhariwal 2021, equations 15 and 16, with
/// weight 1). The predicted mean does not learn through the bound.
class DdpmObjective : public Objective {
 public:
  DdpmObjective(const sweeps::ObjectiveSpec& spec, torch::Device device);

  /// x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise.
  [[nodiscard]] torch::Tensor add_noise(const torch::Tensor& x0, const torch::Tensor& noise,
                                        const torch::Tensor& t) const override;
  /// t itself.
  [[nodiscard]] torch::Tensor model_time(const torch::Tensor& t) const override { return t; }
  [[nodiscard]] DiffusionLoss loss(const torch::Tensor& output, const torch::Tensor& x0, const torch::Tensor& xt,
                                   const torch::Tensor& noise, const torch::Tensor& t) const override;
  /// The variational term alone, bits per element, (N). `predicted` is what the model predicts (the noise, x_0 or v).
  [[nodiscard]] torch::Tensor variational_bits(const torch::Tensor& predicted, const torch::Tensor& variance_output,
                                               const torch::Tensor& x0, const torch::Tensor& xt,
                                               const torch::Tensor& t) const;

 private:
  /// Values of a table at t, (N, 1, 1, 1).
  [[nodiscard]] torch::Tensor at(const torch::Tensor& table, const torch::Tensor& t) const;
  [[nodiscard]] NoiseLevel<torch::Tensor> level(const torch::Tensor& t) const;

  sweeps::Prediction prediction_;
  bool learn_variance_;
  // (T) each, float32, on the device
  torch::Tensor signal_, noise_, x0_from_xt_, x0_from_noise_, mean_from_x0_, mean_from_xt_, log_beta_,
      posterior_log_variance_;
  /// Weight of the squared error; undefined when it is 1 everywhere.
  torch::Tensor weight_;
};

/// Weight of a prediction's squared error under min-SNR: min(SNR, gamma) in terms of the image (Hang et al. 2023,
/// section 3.4), so over SNR for the noise and over SNR + 1 for v.
[[nodiscard]] double min_snr_weight(sweeps::Prediction prediction, double signal_to_noise, double gamma);

}  // namespace ditscale::worker
