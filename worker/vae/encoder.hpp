#pragma once

#include <optional>
#include <vector>

#include <torch/types.h>

#include "worker/vae/layers.hpp"
#include "worker/vae/vae_weights.hpp"

namespace ditscale::worker::vae {

/// From a picture to mean and log variance of its latent.
class Encoder {
 public:
  explicit Encoder(const VaeWeights& weights);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& images) const;  // (N, 3, f h, f w) → (N, 2 L, h, w)

 private:
  /// Residual blocks, then half the size, but for the last level.
  struct Level {
    std::vector<ResnetBlock> resnets;
    std::optional<Convolution> downsample;
  };

  Convolution conv_in_;
  std::vector<Level> levels_;
  MidBlock mid_;
  GroupNorm norm_out_;
  Convolution conv_out_, quant_conv_;
};

}  // namespace ditscale::worker::vae
