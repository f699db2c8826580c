#include "worker/weights/infer_trial.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "sweeps/spec/data_sets.hpp"

namespace ditscale::worker {

using common::CorruptData;
using common::Json;
using common::UsageError;

namespace {

/// Looks up shapes; every miss is an error that names the tensor.
class Shapes {
 public:
  explicit Shapes(const TensorSource& source) : source_(source) {}

  [[nodiscard]] bool has(const std::string& name) const {
    const auto& names = source_.names();
    return std::find(names.begin(), names.end(), name) != names.end();
  }
  [[nodiscard]] const std::vector<std::int64_t>& of(const std::string& name, std::size_t dimensions) const {
    if (!has(name)) throw CorruptData(fmt::format("no DiT: tensor {} is missing", name));
    const auto& shape = source_.shape(name);
    const bool positive = std::all_of(shape.begin(), shape.end(), [](std::int64_t size) { return size > 0; });
    if (shape.size() != dimensions || !positive)
      throw CorruptData(fmt::format("tensor {} has {} dimensions, {} are needed", name, shape.size(), dimensions));
    return shape;
  }

 private:
  const TensorSource& source_;
};

std::int64_t count_blocks(const Shapes& shapes) {
  std::int64_t depth = 0;
  while (shapes.has(fmt::format("blocks.{}.attn.qkv.weight", depth))) ++depth;
  return depth;
}

std::string block_design(const Shapes& shapes, std::int64_t width) {
  const std::string modulation = "blocks.0.adaLN_modulation.1.weight";
  if (shapes.has(modulation)) return shapes.of(modulation, 2)[0] == 6 * width ? "adaln_zero" : "adaln";
  return shapes.has("blocks.0.cross_attn.q.weight") ? "cross_attention" : "in_context";
}

/// Heads of the published size with this depth and width; they are the same for every patch.
std::optional<std::int64_t> published_heads(std::int64_t depth, std::int64_t width) {
  for (const std::string& name : sweeps::named_model_names()) {
    const auto model = sweeps::named_model(name);
    if (model->depth == depth && model->width == width) return model->heads;
  }
  return std::nullopt;
}

std::int64_t heads_of(const ImportHints& hints, std::int64_t depth, std::int64_t width) {
  if (hints.heads) return *hints.heads;
  if (const auto heads = published_heads(depth, width)) return *heads;
  throw UsageError(
      fmt::format("--heads is needed: {} blocks of width {} are no published size, and tensors do not show "
                  "the number of heads",
                  depth, width));
}

/// The ratio whose product with `width` is `hidden` after truncation.
double mlp_ratio(std::int64_t hidden, std::int64_t width) {
  const double ratio = static_cast<double>(hidden) / static_cast<double>(width);
  const bool falls_short = static_cast<std::int64_t>(static_cast<double>(width) * ratio) < hidden;
  return falls_short ? std::nextafter(ratio, 2 * ratio) : ratio;
}

Json model_json(const Shapes& shapes, const ImportHints& hints) {
  const auto& patches = shapes.of("x_embedder.proj.weight", 4);
  const std::int64_t depth = count_blocks(shapes), width = patches[0];
  if (patches[2] != patches[3]) throw CorruptData("x_embedder.proj.weight: its patches are not square");
  if (depth == 0) throw CorruptData("no DiT: tensor blocks.0.attn.qkv.weight is missing");
  const std::int64_t rows = shapes.of("y_embedder.embedding_table.weight", 2)[0];
  const std::int64_t classes = hints.classes.value_or(rows - 1);
  if (rows != classes && rows != classes + 1)
    throw UsageError(
        fmt::format("--classes {}: the label table has {} rows; allowed: {} or {}", classes, rows, rows, rows - 1));
  const std::int64_t hidden = shapes.of("blocks.0.mlp.fc1.weight", 2)[0];
  return {{"depth", depth},
          {"width", width},
          {"heads", heads_of(hints, depth, width)},
          {"patch", patches[2]},
          {"block", block_design(shapes, width)},
          {"mlp_ratio", mlp_ratio(hidden, width)},
          {"class_dropout", rows == classes ? 0.0 : sweeps::ModelSpec{}.class_dropout}};
}

/// Side of the model's input by the stored position embedding; empty when there is none.
std::optional<std::int64_t> input_size(const Shapes& shapes, std::int64_t patch) {
  if (!shapes.has(kPositionTensor)) return std::nullopt;
  const std::int64_t tokens = shapes.of(kPositionTensor, 3)[1];
  const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(tokens))));
  if (side * side != tokens) throw CorruptData(fmt::format("{}: {} tokens are no square", kPositionTensor, tokens));
  return side * patch;
}

std::int64_t image_size(const Shapes& shapes, const ImportHints& hints, std::int64_t patch, std::int64_t downsampling) {
  const auto shown = input_size(shapes, patch);
  if (!shown && !hints.image_size)
    throw UsageError("--image-size is needed: the file has no position embedding to tell the side of the images");
  if (shown && hints.image_size && *shown * downsampling != *hints.image_size) {
    throw UsageError(fmt::format("--image-size {}: the position embedding is that of {} pixels", *hints.image_size,
                                 *shown * downsampling));
  }
  return hints.image_size.value_or(shown.value_or(0) * downsampling);
}

Json data_json(const Shapes& shapes, const ImportHints& hints, const Json& model) {
  const auto& patches = shapes.of("x_embedder.proj.weight", 4);
  const std::int64_t channels = patches[1];
  const std::string space =
      hints.space.value_or(channels == sweeps::data_set("imagenet_latents").channels ? "latents" : "pixels");
  const std::int64_t downsampling = space == "latents" ? sweeps::kLatentDownsampling : 1;
  const std::int64_t size = image_size(shapes, hints, patches[2], downsampling);
  const bool has_null = model.at("class_dropout").get<double>() > 0;
  const std::int64_t classes = shapes.of("y_embedder.embedding_table.weight", 2)[0] - (has_null ? 1 : 0);
  const auto& imagenet = sweeps::data_set("imagenet_latents");
  const bool is_imagenet = space == "latents" && channels == imagenet.channels && classes == imagenet.num_classes &&
                           std::count(imagenet.image_sizes.begin(), imagenet.image_sizes.end(), size) != 0;
  if (is_imagenet) return {{"name", imagenet.name}, {"image_size", size}};
  // Nobody knows the images: what the model needs of them is the input's shape.
  return {{"name", "store"},        {"image_size", size}, {"space", space},     {"channels", channels},
          {"num_classes", classes}, {"num_images", 1},    {"digest", "unknown"}};
}

bool learns_variance(const Shapes& shapes) {
  const auto& patches = shapes.of("x_embedder.proj.weight", 4);
  const std::int64_t per_channel = patches[2] * patches[3], rows = shapes.of("final_layer.linear.weight", 2)[0];
  if (rows == 2 * patches[1] * per_channel) return true;
  if (rows == patches[1] * per_channel) return false;
  throw CorruptData(
      fmt::format("final_layer.linear.weight has {} rows; {} channels of {} x {} patches need {}, or twice "
                  "that with a learned variance",
                  rows, patches[1], patches[2], patches[3], patches[1] * per_channel));
}

/// The trial that our own export wrote; hints may only repeat it.
sweeps::TrialSpec stored_trial(const std::string& text, const ImportHints& hints) {
  sweeps::TrialSpec trial;
  try {
    trial = sweeps::trial_spec_from(common::parse_json(text, kTrialMetadata));
  } catch (const common::ConfigError& error) {
    throw CorruptData(error.what());
  }
  const bool contradicts = hints.heads.value_or(trial.model.heads) != trial.model.heads ||
                           hints.image_size.value_or(trial.data.image_size) != trial.data.image_size ||
                           hints.classes.value_or(trial.data.num_classes) != trial.data.num_classes ||
                           hints.space.value_or(std::string(to_name(trial.data.space))) != to_name(trial.data.space);
  if (contradicts)
    throw UsageError(fmt::format(
        "the file says itself what the model is ({}, {} heads, {} pixels): --heads, --image-size, --space and "
        "--classes can be left out",
        sweeps::model_label(trial.model), trial.model.heads, trial.data.image_size));
  return trial;
}

}  // namespace

sweeps::TrialSpec infer_trial(const TensorSource& source, const ImportHints& hints) {
  const auto stored = source.metadata().find(kTrialMetadata);
  if (stored != source.metadata().end()) return stored_trial(stored->second, hints);
  const Shapes shapes(source);
  common::JsonDocument document;
  document.source = "the model of the file";
  const Json model = model_json(shapes, hints);
  document.value = {{"model", model},
                    {"data", data_json(shapes, hints, model)},
                    {"objective", {{"learn_variance", learns_variance(shapes)}}}};
  return sweeps::trial_spec_from(document);
}

}  // namespace ditscale::worker
