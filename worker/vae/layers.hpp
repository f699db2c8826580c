#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <torch/types.h>

#include "worker/vae/vae_weights.hpp"

// The layers of an AutoencoderKL, for inference: each takes its tensors by `name` out of the weights, which share the
// memory. All pictures are (N, C, H, W) in channels-last memory, which the processor's convolutions like best.
namespace ditscale::worker::vae {

class Convolution {
 public:
  /// `padding` pixels of zero on every side.
  Convolution(const VaeWeights& weights, const std::string& name, std::int64_t stride, std::int64_t padding);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  torch::Tensor weight_, bias_;
  std::int64_t stride_, padding_;
};

/// Normalisation of groups of channels, with scale and shift; eps 1e-6.
class GroupNorm {
 public:
  GroupNorm(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const;
  /// SiLU of the same.
  [[nodiscard]] torch::Tensor activated(const torch::Tensor& x) const;

 private:
  torch::Tensor weight_, bias_;
  std::int64_t groups_;
};

/// x + conv2(SiLU(norm2(conv1(SiLU(norm1(x)))))); x passes a 1 x 1 convolution where the number of channels changes.
class ResnetBlock {
 public:
  ResnetBlock(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  GroupNorm norm1_, norm2_;
  Convolution conv1_, conv2_;
  std::optional<Convolution> shortcut_;
};

/// x + self-attention over all pixels of norm(x), with one head as wide as the picture has channels.
class PixelAttention {
 public:
  PixelAttention(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  struct Projection {
    torch::Tensor weight, bias;
  };
  static Projection projection(const VaeWeights& weights, const std::string& name);

  GroupNorm norm_;
  Projection query_, key_, value_, out_;
};

/// Residual block, attention, residual block.
class MidBlock {
 public:
  MidBlock(const VaeWeights& weights, const std::string& name);
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  ResnetBlock first_;
  PixelAttention attention_;
  ResnetBlock second_;
};

}  // namespace ditscale::worker::vae
