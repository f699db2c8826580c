#pragma once

#include <cstdint>
#include <vector>

namespace ditscale::worker {

/// Size of an AutoencoderKL (Rombach et al. 2022, in the form diffusers gives it). The defaults are those of
/// sd-vae-ft-mse and -ema.
struct VaeConfig {
  /// Of the pictures: 3 for red, green, blue.
  std::int64_t image_channels = 3;
  std::int64_t latent_channels = 4;
  /// Width of each level of the encoder, the finest first; each level but the last halves the picture.
  std::vector<std::int64_t> block_out_channels{128, 256, 512, 512};
  /// Residual blocks of a level of the encoder; the decoder has one more.
  std::int64_t layers_per_block = 2;
  /// Groups of every normalisation. Not visible in the weights: 32 unless the file's config.json says otherwise.
  std::int64_t norm_groups = 32;
  /// What a latent is multiplied with before a diffusion model sees it.
  double scaling_factor = 0.18215;

  /// Pixels of a picture's side for each of the latent's.
  [[nodiscard]] std::int64_t downsampling() const { return std::int64_t{1} << (block_out_channels.size() - 1); }

  bool operator==(const VaeConfig&) const = default;
};

}  // namespace ditscale::worker
