#include "worker/vae/vae_layout.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::worker {

namespace {

using common::CorruptData;
using Shape = std::vector<std::int64_t>;

/// More than any published network; keeps sizes of pictures within 64 bits.
constexpr std::int64_t kMaxLevels = 8;
/// Wider than any published network by far; keeps products of widths within 64 bits.
constexpr std::int64_t kMaxChannels = 1 << 20;
constexpr std::size_t kShownProblems = 6;

/// Collects names and shapes in the network's own terms.
class ShapeList {
 public:
  void convolution(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel) {
    shapes_[name + ".weight"] = {out, in, kernel, kernel};
    shapes_[name + ".bias"] = {out};
  }

  void norm(const std::string& name, std::int64_t channels) {
    shapes_[name + ".weight"] = {channels};
    shapes_[name + ".bias"] = {channels};
  }

  void linear(const std::string& name, std::int64_t channels) {
    shapes_[name + ".weight"] = {channels, channels};
    shapes_[name + ".bias"] = {channels};
  }

  void resnet(const std::string& name, std::int64_t in, std::int64_t out) {
    norm(name + ".norm1", in);
    convolution(name + ".conv1", in, out, 3);
    norm(name + ".norm2", out);
    convolution(name + ".conv2", out, out, 3);
    if (in != out) convolution(name + ".conv_shortcut", in, out, 1);
  }

  void resnets(const std::string& block, std::int64_t count, std::int64_t in, std::int64_t out) {
    for (std::int64_t j = 0; j < count; ++j) resnet(fmt::format("{}.resnets.{}", block, j), j == 0 ? in : out, out);
  }

  void mid_block(const std::string& name, std::int64_t channels) {
    resnets(name, 2, channels, channels);
    const std::string attention = name + ".attentions.0";
    norm(attention + ".group_norm", channels);
    for (const char* matrix : {".to_q", ".to_k", ".to_v", ".to_out.0"}) linear(attention + matrix, channels);
  }

  [[nodiscard]] TensorShapes take() { return std::move(shapes_); }

 private:
  TensorShapes shapes_;
};

void list_encoder(ShapeList& list, const VaeConfig& config) {
  const Shape& widths = config.block_out_channels;
  list.convolution("encoder.conv_in", config.image_channels, widths.front(), 3);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string block = fmt::format("encoder.down_blocks.{}", i);
    list.resnets(block, config.layers_per_block, widths[i == 0 ? 0 : i - 1], widths[i]);
    if (i + 1 < widths.size()) list.convolution(block + ".downsamplers.0.conv", widths[i], widths[i], 3);
  }
  list.mid_block("encoder.mid_block", widths.back());
  list.norm("encoder.conv_norm_out", widths.back());
  list.convolution("encoder.conv_out", widths.back(), 2 * config.latent_channels, 3);
  list.convolution("quant_conv", 2 * config.latent_channels, 2 * config.latent_channels, 1);
}

void list_decoder(ShapeList& list, const VaeConfig& config) {
  const Shape widths(config.block_out_channels.rbegin(), config.block_out_channels.rend());
  list.convolution("post_quant_conv", config.latent_channels, config.latent_channels, 1);
  list.convolution("decoder.conv_in", config.latent_channels, widths.front(), 3);
  list.mid_block("decoder.mid_block", widths.front());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string block = fmt::format("decoder.up_blocks.{}", i);
    list.resnets(block, config.layers_per_block + 1, widths[i == 0 ? 0 : i - 1], widths[i]);
    if (i + 1 < widths.size()) list.convolution(block + ".upsamplers.0.conv", widths[i], widths[i], 3);
  }
  list.norm("decoder.conv_norm_out", widths.back());
  list.convolution("decoder.conv_out", widths.back(), config.image_channels, 3);
}

std::string text(const Shape& shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

/// Names come from the file: escaped and shortened.
std::string quoted(const std::string& name) { return common::shown(common::Json(name)); }

/// One size of one tensor that tells the network's size.
std::int64_t size_of(const TensorShapes& shapes, const std::string& file, const std::string& name, std::size_t axis) {
  const auto found = shapes.find(name);
  if (found == shapes.end()) {
    throw CorruptData(fmt::format(
        "{}: not the weights of an AutoencoderKL: there is no tensor {} among its {}{}", file, name, shapes.size(),
        shapes.empty() ? "" : fmt::format(" (the first is {})", quoted(shapes.begin()->first))));
  }
  const Shape& shape = found->second;
  if (shape.size() != 4 || shape[axis] < 1 || shape[axis] > kMaxChannels) {
    throw CorruptData(fmt::format("{}: {} has shape {}: not a convolution of 1 to {} channels", file, name, text(shape),
                                  kMaxChannels));
  }
  return shape[axis];
}

VaeConfig visible_config(const TensorShapes& shapes, const std::string& file) {
  VaeConfig config;
  config.image_channels = size_of(shapes, file, "encoder.conv_in.weight", 1);
  config.latent_channels = size_of(shapes, file, "decoder.conv_in.weight", 1);
  const auto first_convolution = [](std::int64_t level, std::int64_t layer) {
    return fmt::format("encoder.down_blocks.{}.resnets.{}.conv1.weight", level, layer);
  };
  config.block_out_channels = {size_of(shapes, file, first_convolution(0, 0), 0)};
  for (std::int64_t i = 1; i < kMaxLevels && shapes.contains(first_convolution(i, 0)); ++i) {
    config.block_out_channels.push_back(size_of(shapes, file, first_convolution(i, 0), 0));
  }
  config.layers_per_block = 1;
  while (shapes.contains(first_convolution(0, config.layers_per_block))) ++config.layers_per_block;
  return config;
}

}  // namespace

TensorShapes vae_tensor_shapes(const VaeConfig& config) {
  ShapeList list;
  list_encoder(list, config);
  list_decoder(list, config);
  return list.take();
}

std::string current_vae_name(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kRenamed{
      {{".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}}};
  if (name.find(".attentions.") == std::string::npos) return name;
  for (const auto& [old_part, new_part] : kRenamed) {
    const auto at = name.find(old_part);
    if (at != std::string::npos) return std::string(name).replace(at, old_part.size(), new_part);
  }
  return name;
}

VaeConfig vae_config_from(const TensorShapes& shapes, const std::string& file) {
  const VaeConfig config = visible_config(shapes, file);
  const TensorShapes expected = vae_tensor_shapes(config);
  std::vector<std::string> problems;
  for (const auto& [name, shape] : expected) {
    const auto found = shapes.find(name);
    if (found == shapes.end()) {
      problems.push_back(fmt::format("{} is missing", name));
    } else if (found->second != shape) {
      problems.push_back(fmt::format("{} has shape {}, expected is {}", name, text(found->second), text(shape)));
    }
  }
  for (const auto& item : shapes) {
    if (!expected.contains(item.first)) problems.push_back(fmt::format("{} does not belong to it", quoted(item.first)));
  }
  if (problems.empty()) return config;
  const std::size_t more = problems.size() > kShownProblems ? problems.size() - kShownProblems : 0;
  problems.resize(problems.size() - more);
  throw CorruptData(fmt::format("{}: not the weights of an AutoencoderKL of widths {}: {}{}", file,
                                fmt::join(config.block_out_channels, ", "), fmt::join(problems, "; "),
                                more == 0 ? "" : fmt::format("; and {} more", more)));
}

}  // namespace ditscale::worker
