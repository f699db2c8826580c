#pragma once

#include <memory>

#include "sweeps/spec/objective_spec.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Per-image losses; all (N), float32.
struct DiffusionLoss {
  /// What is minimised: the error with its weight, and the bound where there is one.
  torch::Tensor total;
  /// Mean squared error of the prediction over C, S, S, unweighted.
  torch::Tensor simple;
  /// Variational bound in bits per element; undefined when the variance is not learned.
  torch::Tensor vlb;
};

/// What a model is trained to do. Pure: its times come from worker/diffusion/training_times.hpp. Shapes: x (N, C, S,
/// S), t (N), the timesteps of a ddpm (int64) or the times 0 (data) … 1 (noise) of a flow (float32).
class Objective {
 public:
  virtual ~Objective() = default;

  /// The image at time t on its way to the noise.
  [[nodiscard]] virtual torch::Tensor add_noise(const torch::Tensor& x0, const torch::Tensor& noise,
                                                const torch::Tensor& t) const = 0;
  /// What the model is shown for t.
  [[nodiscard]] virtual torch::Tensor model_time(const torch::Tensor& t) const = 0;
  /// `output` is the model's (N, C or 2 C, S, S), float32, at x_t.
  [[nodiscard]] virtual DiffusionLoss loss(const torch::Tensor& output, const torch::Tensor& x0,
                                           const torch::Tensor& xt, const torch::Tensor& noise,
                                           const torch::Tensor& t) const = 0;
};

[[nodiscard]] std::unique_ptr<Objective> make_objective(const sweeps::ObjectiveSpec& spec, torch::Device device);

}  // namespace ditscale::worker
