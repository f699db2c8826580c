#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <torch/types.h>

#include "worker/vae/decoder.hpp"
#include "worker/vae/encoder.hpp"
#include "worker/vae/vae_config.hpp"

namespace ditscale::worker {

/// Activations that may be held at once: one picture of 512 pixels, or a few of 256, on a processor.
inline constexpr std::int64_t kVaeActivation_bytes = std::int64_t{2} << 30;

/// An AutoencoderKL (Rombach et al. 2022; sd-vae-ft-mse and -ema): between pictures and the latents that a diffusion
/// model is trained on. Inference only, float32 throughout (no TF32). Batches of any size are worked off in slices that
/// keep to a bound of memory, one picture at least; pictures do not influence each other.
class Vae {
 public:
  /// See load_vae_weights for what is accepted and what is thrown.
  [[nodiscard]] static Vae load(const std::filesystem::path& path, torch::Device device,
                                std::int64_t activation_bytes = kVaeActivation_bytes);

  /// Mean and log variance of the latents, the latter within [-30, 20], on the VAE's device. `images`: float, about
  /// [-1, 1], on any device, sides divisible by `downsampling`; ConfigError otherwise.
  [[nodiscard]] torch::Tensor encode_moments(const torch::Tensor& images) const;  // (N, 3, H, W) → (N, 2 L, h, w)
  /// Pictures, about [-1, 1], of latents at their own scale (not multiplied with scaling_factor), likewise.
  [[nodiscard]] torch::Tensor decode(const torch::Tensor& latents) const;  // (N, L, h, w) → (N, 3, H, W)

  [[nodiscard]] const VaeConfig& config() const { return config_; }
  [[nodiscard]] std::int64_t latent_channels() const { return config_.latent_channels; }
  [[nodiscard]] std::int64_t downsampling() const { return config_.downsampling(); }
  [[nodiscard]] double scaling_factor() const { return config_.scaling_factor; }
  /// Of the weights' file: what is recorded with latents and samples.
  [[nodiscard]] const std::string& digest() const { return digest_; }

 private:
  Vae(const VaeWeights& weights, torch::Device device, std::int64_t activation_bytes);
  [[nodiscard]] std::int64_t slice_size(std::int64_t pixels) const;

  VaeConfig config_;
  std::string digest_;
  torch::Device device_;
  std::int64_t activation_bytes_;
  vae::Encoder encoder_;
  vae::Decoder decoder_;
};

/// mean + exp(log variance / 2) · noise: a sample of the posterior, `noise` being standard normal and shaped like the
/// mean.
[[nodiscard]] torch::Tensor sample_posterior(const torch::Tensor& moments, const torch::Tensor& noise);

}  // namespace ditscale::worker
