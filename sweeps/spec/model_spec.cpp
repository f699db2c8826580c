#include "sweeps/spec/model_spec.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::sweeps {

namespace {

struct NamedSize {
  std::string_view letter;
  std::int64_t depth, width, heads;
};
constexpr std::array<NamedSize, 4> kSizes{
    {{"S", 12, 384, 6}, {"B", 12, 768, 12}, {"L", 24, 1024, 16}, {"XL", 28, 1152, 16}}};
constexpr std::array<std::int64_t, 3> kPatches{8, 4, 2};

}  // namespace

std::int64_t ModelShape::condition_tokens() const {
  constexpr std::int64_t kTimestepToken = 1;
  switch (model.conditioning) {
    case Conditioning::kClass:
      return kTimestepToken + 1;
    case Conditioning::kEmbeddings:
      return kTimestepToken + input.context_tokens;
    case Conditioning::kNone:
      break;
  }
  return kTimestepToken;
}

std::int64_t ModelShape::mlp_hidden() const {
  const auto hidden = static_cast<std::int64_t>(static_cast<double>(model.width) * model.mlp_ratio);
  return model.mlp == MlpKind::kSwiGlu ? 2 * hidden / 3 : hidden;
}

std::int64_t ModelShape::label_rows() const {
  return model.conditioning == Conditioning::kClass ? input.num_classes + (model.class_dropout > 0 ? 1 : 0) : 0;
}

std::optional<ModelSpec> named_model(std::string_view name) {
  for (const NamedSize& size : kSizes) {
    for (const std::int64_t patch : kPatches) {
      if (name == fmt::format("DiT-{}/{}", size.letter, patch)) {
        ModelSpec model;
        model.depth = size.depth;
        model.width = size.width;
        model.heads = size.heads;
        model.patch = patch;
        return model;
      }
    }
  }
  return std::nullopt;
}

const std::array<std::string, 12>& named_model_names() {
  static const std::array<std::string, 12> names = [] {
    std::array<std::string, 12> result;
    std::size_t next = 0;
    for (const NamedSize& size : kSizes) {
      for (const std::int64_t patch : kPatches) result[next++] = fmt::format("DiT-{}/{}", size.letter, patch);
    }
    return result;
  }();
  return names;
}

std::string model_label(const ModelSpec& model) {
  const bool published_patch = std::find(kPatches.begin(), kPatches.end(), model.patch) != kPatches.end();
  std::string label = fmt::format("d{}-w{}-h{}/{}", model.depth, model.width, model.heads, model.patch);
  for (const NamedSize& size : kSizes) {
    if (published_patch && size.depth == model.depth && size.width == model.width && size.heads == model.heads)
      label = fmt::format("DiT-{}/{}", size.letter, model.patch);
  }
  const ModelSpec published;
  if (model.mlp_ratio != published.mlp_ratio) label += fmt::format("-m{}", model.mlp_ratio);
  const auto add = [&](auto choice, auto usual) {
    if (choice != usual) label += fmt::format("-{}", to_name(choice));
  };
  add(model.block, published.block);
  if (model.conditioning != published.conditioning)
    label += model.conditioning == Conditioning::kNone ? "-unconditional" : "-embeddings";
  if (model.qk_norm) label += "-qk_norm";
  add(model.norm, published.norm);
  add(model.mlp, published.mlp);
  add(model.position, published.position);
  if (model.adaln_init != published.adaln_init) label += fmt::format("-adaln_{}", to_name(model.adaln_init));
  if (model.mup_base_width) label += fmt::format("-mup{}", *model.mup_base_width);
  if (model.mup_base_heads) label += fmt::format("h{}", *model.mup_base_heads);
  return label;
}

namespace {

std::optional<std::string> why_no_conditioning(const ModelShape& shape) {
  const ModelSpec& model = shape.model;
  switch (model.conditioning) {
    case Conditioning::kClass:
      if (shape.input.num_classes < 1) return "conditioning \"class\" needs data with classes; allowed here: none";
      break;
    case Conditioning::kNone:
      if (model.class_dropout > 0) return "class_dropout means nothing under conditioning \"none\"; allowed: 0";
      break;
    case Conditioning::kEmbeddings:
      if (shape.input.context_tokens < 1)
        return "conditioning \"embeddings\" needs data with embeddings (data.context_tokens, data.context_width)";
      if (model.modulated())
        return fmt::format("block {} has no place for a sequence of embeddings; allowed: cross_attention, in_context",
                           to_name(model.block));
      break;
  }
  return std::nullopt;
}

/// Multiply-accumulates of the blocks for one image (arithmetic.hpp counts them whole), in a type that holds any
/// number.
double block_macs(const ModelShape& shape) {
  const auto depth = static_cast<double>(shape.model.depth);
  const auto width = static_cast<double>(shape.model.width);
  const auto hidden = static_cast<double>(shape.mlp_hidden());
  const auto condition = static_cast<double>(shape.condition_tokens());
  const auto tokens = static_cast<double>(shape.sequence_tokens());
  const double mlp_matrices = shape.model.mlp == MlpKind::kSwiGlu ? 3 : 2;
  double macs = 2 * tokens * tokens * width + tokens * (4 * width * width + mlp_matrices * width * hidden);
  if (shape.model.block == BlockDesign::kCrossAttention)
    macs += 2 * (tokens + condition) * width * width + 2 * tokens * condition * width;
  return depth * macs;
}

}  // namespace

std::optional<std::string> why_impossible(const ModelShape& shape) {
  const ModelSpec& model = shape.model;
  if (model.width % model.heads != 0)
    return fmt::format("width {} is not a multiple of heads {}", model.width, model.heads);
  if (model.width % 4 != 0)
    return fmt::format("width {} is not a multiple of 4, which the position embedding needs", model.width);
  if (shape.input.size % model.patch != 0)
    return fmt::format("patch {} does not divide the input size {}", model.patch, shape.input.size);
  if (shape.mlp_hidden() < 1)
    return fmt::format("mlp_ratio {} leaves no hidden channel at width {}", model.mlp_ratio, model.width);
  if (model.position == PositionKind::kRope && model.width / model.heads % 4 != 0)
    return fmt::format(
        "position \"rope\" turns pairs of channels by row and by column: {} channels of a head are not a "
        "multiple of 4",
        model.width / model.heads);
  if (model.adaln_init != AdaLnInit::kZero && !model.modulated())
    return fmt::format("block {} has no modulations for adaln_init to start; allowed: zero", to_name(model.block));
  if (model.mup_base_heads && !model.mup_base_width) return "mup_base_heads needs mup_base_width";
  constexpr double kMostMacs = 9e18;  // of 9.2e18 that a 64-bit number holds
  if (block_macs(shape) > kMostMacs)
    return fmt::format(
        "{} tokens of an image at depth {} and width {} take {:.1e} multiply-accumulates, more than any "
        "machine makes; allowed: {:.0e}. A larger patch makes fewer tokens",
        shape.num_tokens(), model.depth, model.width, block_macs(shape), kMostMacs);
  return why_no_conditioning(shape);
}

}  // namespace ditscale::sweeps
