#pragma once

#include <cstdint>
#include <string>

#include "worker/diffusion/noise_schedule.hpp"
#include "worker/model/dit.hpp"
#include "worker/random/philox.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// How samples are drawn.
struct SamplerSettings {
  /// "ddpm": ancestral steps with the learned variance; "ddim": deterministic (Song et al. 2021, eta 0).
  std::string sampler = "ddpm";
  std::int64_t steps = 250;
  /// Classifier-free guidance scale (Ho & Salimans 2022): u + s (c - u) on the noise of every channel; the variance
  /// stays the conditional one. 1 is none.
  double guidance = 1.0;
  std::uint64_t seed = 0;
};

/// Draws samples from a trained model. Start noise, step noise and labels of sample i depend on (seed, i) only: not on
/// the batch, the device count or the model, so that all models of a sweep can be shown on the same noise.
class Sampler {
 public:
  /// `model` must outlive the sampler; it is used without gradients.
  Sampler(DiT model, const NoiseSchedule& schedule, SamplerSettings settings, torch::Device device);

  /// Samples first … first + count - 1 with the given labels (count), as (count, C, S, S) float32 about [-1, 1].
  [[nodiscard]] torch::Tensor sample(std::int64_t first, const torch::Tensor& labels) const;

  /// Labels of samples first … first + count - 1, uniform over the classes: scheme "uniform".
  [[nodiscard]] torch::Tensor uniform_labels(std::int64_t first, std::int64_t count) const;

 private:
  /// Standard normals (count, C, S, S), one stream for each sample.
  [[nodiscard]] torch::Tensor normals(Purpose purpose, std::int64_t first, std::int64_t count,
                                      std::uint32_t step) const;
  [[nodiscard]] torch::Tensor predict(const torch::Tensor& x, std::int64_t timestep, const torch::Tensor& labels) const;
  [[nodiscard]] torch::Tensor ddpm_step(const torch::Tensor& x, const torch::Tensor& output, std::int64_t index,
                                        std::int64_t first) const;
  [[nodiscard]] torch::Tensor ddim_step(const torch::Tensor& x, const torch::Tensor& output, std::int64_t index) const;
  /// x_0 that this noise implies.
  [[nodiscard]] torch::Tensor predicted_x0(const torch::Tensor& x, const torch::Tensor& noise,
                                           std::int64_t index) const;

  mutable DiT model_;
  NoiseSchedule schedule_;
  SamplerSettings settings_;
  torch::Device device_;
};

/// [-1, 1] floats as bytes: truncation of clamp(127.5 x + 128, 0, 255), the published code's rule.
[[nodiscard]] torch::Tensor to_bytes(const torch::Tensor& x);

}  // namespace ditscale::worker
