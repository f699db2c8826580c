#include "worker/vae/encoder.hpp"

#include <utility>

#include <fmt/format.h>

#include "worker/torch.hpp"

namespace ditscale::worker::vae {

Encoder::Encoder(const VaeWeights& weights)
    : conv_in_(weights, "encoder.conv_in", 1, 1),
      mid_(weights, "encoder.mid_block"),
      norm_out_(weights, "encoder.conv_norm_out"),
      conv_out_(weights, "encoder.conv_out", 1, 1),
      quant_conv_(weights, "quant_conv", 1, 0) {
  const std::size_t num_levels = weights.config.block_out_channels.size();
  for (std::size_t i = 0; i < num_levels; ++i) {
    const std::string name = fmt::format("encoder.down_blocks.{}", i);
    Level level;
    for (std::int64_t j = 0; j < weights.config.layers_per_block; ++j)
      level.resnets.emplace_back(weights, fmt::format("{}.resnets.{}", name, j));
    if (i + 1 < num_levels) level.downsample.emplace(weights, name + ".downsamplers.0.conv", 2, 0);
    levels_.push_back(std::move(level));
  }
}

torch::Tensor Encoder::operator()(const torch::Tensor& images) const {
  torch::Tensor x = conv_in_(images);
  for (const Level& level : levels_) {
    for (const ResnetBlock& resnet : level.resnets) x = resnet(x);
    // One row and column of zeros, below and at the right only: the published networks were trained so.
    if (level.downsample) x = (*level.downsample)(torch::constant_pad_nd(x, {0, 1, 0, 1}));
  }
  return quant_conv_(conv_out_(norm_out_.activated(mid_(x))));
}

}  // namespace ditscale::worker::vae
