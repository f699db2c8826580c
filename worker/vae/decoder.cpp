#include "worker/vae/decoder.hpp"

#include <utility>

#include <fmt/format.h>

#include "worker/torch.hpp"

namespace ditscale::worker::vae {

Decoder::Decoder(const VaeWeights& weights)
    : post_quant_conv_(weights, "post_quant_conv", 1, 0),
      conv_in_(weights, "decoder.conv_in", 1, 1),
      mid_(weights, "decoder.mid_block"),
      norm_out_(weights, "decoder.conv_norm_out"),
      conv_out_(weights, "decoder.conv_out", 1, 1) {
  const std::size_t num_levels = weights.config.block_out_channels.size();
  for (std::size_t i = 0; i < num_levels; ++i) {
    const std::string name = fmt::format("decoder.up_blocks.{}", i);
    Level level;
    for (std::int64_t j = 0; j <= weights.config.layers_per_block; ++j)
      level.resnets.emplace_back(weights, fmt::format("{}.resnets.{}", name, j));
    if (i + 1 < num_levels) level.upsample.emplace(weights, name + ".upsamplers.0.conv", 1, 1);
    levels_.push_back(std::move(level));
  }
}

torch::Tensor Decoder::operator()(const torch::Tensor& latents) const {
  torch::Tensor x = mid_(conv_in_(post_quant_conv_(latents)));
  for (const Level& level : levels_) {
    for (const ResnetBlock& resnet : level.resnets) x = resnet(x);
    if (level.upsample) x = (*level.upsample)(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
  }
  return conv_out_(norm_out_.activated(x));
}

}  // namespace ditscale::worker::vae
