#pragma once

#include <optional>
#include <vector>

#include <torch/types.h>

#include "worker/vae/layers.hpp"
#include "worker/vae/vae_weights.hpp"

namespace ditscale::worker::vae {

/// From a latent to the picture.
class Decoder {
 public:
  explicit Decoder(const VaeWeights& weights);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& latents) const;  // (N, L, h, w) → (N, 3, f h, f w)

 private:
  /// Residual blocks, then twice the size, but for the last level.
  struct Level {
    std::vector<ResnetBlock> resnets;
    std::optional<Convolution> upsample;
  };

  Convolution post_quant_conv_, conv_in_;
  MidBlock mid_;
  std::vector<Level> levels_;
  GroupNorm norm_out_;
  Convolution conv_out_;
};

}  // namespace ditscale::worker::vae
