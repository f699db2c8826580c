#pragma once

#include "worker/diffusion/objective.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Flow matching along straight lines (Lipman et al. 2023; Liu et al. 2022): x_t = (1 - t) x_0 + t noise, the model
/// predicts the velocity noise - x_0. It is shown t · num_timesteps, so that its time features are those of a ddpm.
class FlowObjective : public Objective {
 public:
  explicit FlowObjective(const sweeps::ObjectiveSpec& spec);

  [[nodiscard]] torch::Tensor add_noise(const torch::Tensor& x0, const torch::Tensor& noise,
                                        const torch::Tensor& t) const override;
  [[nodiscard]] torch::Tensor model_time(const torch::Tensor& t) const override;
  [[nodiscard]] DiffusionLoss loss(const torch::Tensor& output, const torch::Tensor& x0, const torch::Tensor& xt,
                                   const torch::Tensor& noise, const torch::Tensor& t) const override;

 private:
  double num_timesteps_;
};

}  // namespace ditscale::worker
