#include "sweeps/spec/model_spec.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::sweeps {

namespace {

struct DesignName {
  BlockDesign design;
  std::string_view name;
};
constexpr std::array<DesignName, 4> kDesigns{{{BlockDesign::kAdaLnZero, "adaln_zero"},
                                              {BlockDesign::kAdaLn, "adaln"},
                                              {BlockDesign::kCrossAttention, "cross_attention"},
                                              {BlockDesign::kInContext, "in_context"}}};

struct NamedSize {
  std::string_view letter;
  std::int64_t depth, width, heads;
};
constexpr std::array<NamedSize, 4> kSizes{
    {{"S", 12, 384, 6}, {"B", 12, 768, 12}, {"L", 24, 1024, 16}, {"XL", 28, 1152, 16}}};
constexpr std::array<std::int64_t, 3> kPatches{8, 4, 2};

}  // namespace

std::string_view to_name(BlockDesign design) {
  return std::find_if(kDesigns.begin(), kDesigns.end(), [&](const DesignName& d) { return d.design == design; })->name;
}

std::optional<BlockDesign> block_design_from(std::string_view name) {
  const auto found =
      std::find_if(kDesigns.begin(), kDesigns.end(), [&](const DesignName& d) { return d.name == name; });
  if (found == kDesigns.end()) return std::nullopt;
  return found->design;
}

const std::vector<std::string>& block_design_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const DesignName& d : kDesigns) result.emplace_back(d.name);
    return result;
  }();
  return names;
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
  if (model.mlp_ratio != ModelSpec{}.mlp_ratio) label += fmt::format("-m{}", model.mlp_ratio);
  if (model.block != BlockDesign::kAdaLnZero) label += fmt::format("-{}", to_name(model.block));
  return label;
}

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
  return std::nullopt;
}

}  // namespace ditscale::sweeps
