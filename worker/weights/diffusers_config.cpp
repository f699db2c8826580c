#include "worker/weights/diffusers_config.hpp"

#include <spdlog/spdlog.h>

#include "common/error.hpp"
#include "sweeps/spec/data_sets.hpp"
#include "worker/kernels/operations.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

constexpr const char* kDiffusersClass = "DiTTransformer2DModel";

std::optional<std::int64_t> whole_number(const Json& config, const char* key) {
  constexpr std::int64_t kMost = 1 << 20;
  const Json value = config.value(key, Json());
  if (value.is_null()) return std::nullopt;
  if (!value.is_number_integer() || value.get<std::int64_t>() < 1 || value.get<std::int64_t>() > kMost)
    throw common::CorruptData(fmt::format("config.json: {} is {}, a count is needed", key, common::shown(value)));
  return value.get<std::int64_t>();
}

}  // namespace

Json diffusers_config(const sweeps::TrialSpec& trial) {
  const sweeps::ModelShape shape = trial.shape();
  return {{"_class_name", kDiffusersClass},
          {"activation_fn", "gelu-approximate"},
          {"attention_bias", true},
          {"attention_head_dim", shape.model.width / shape.model.heads},
          {"dropout", 0.0},
          {"in_channels", shape.input.channels},
          {"norm_elementwise_affine", false},
          {"norm_eps", kNormEpsilon},
          {"norm_num_groups", 32},
          {"norm_type", "ada_norm_zero"},
          {"num_attention_heads", shape.model.heads},
          {"num_embeds_ada_norm", shape.input.num_classes},
          {"num_layers", shape.model.depth},
          {"out_channels", shape.out_channels()},
          {"patch_size", shape.model.patch},
          {"sample_size", shape.input.size},
          {"upcast_attention", false}};
}

std::optional<Json> read_diffusers_config(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    Json config = common::read_json(file).value;
    if (!config.is_object() || config.value("_class_name", Json()) != kDiffusersClass) return std::nullopt;
    return config;
  } catch (const common::ConfigError& error) {
    throw common::CorruptData(error.what());
  }
}

void apply_diffusers_config(const Json& config, ImportHints& hints) {
  const Json ours{{"activation_fn", "gelu-approximate"},
                  {"norm_type", "ada_norm_zero"},
                  {"attention_bias", true},
                  {"norm_elementwise_affine", false},
                  {"upcast_attention", false}};
  for (const auto& [key, value] : ours.items()) {
    if (config.contains(key) && config[key] != value) {
      throw common::ConfigError(
          fmt::format("config.json: {} is {}, a DiT here has {}", key, common::shown(config[key]), value.dump()));
    }
  }
  const Json epsilon = config.value("norm_eps", Json());
  if (epsilon.is_number() && epsilon.get<double>() != kNormEpsilon) {
    spdlog::warn(
        "config.json: norm_eps is {}; the reference and this program add {} in every norm, diffusers that only "
        "in some: outputs may differ in the sixth digit",
        epsilon.dump(), kNormEpsilon);
  }
  if (!hints.heads) hints.heads = whole_number(config, "num_attention_heads");
  const auto size = whole_number(config, "sample_size");
  const bool latents = hints.space
                           ? *hints.space == "latents"
                           : config.value("in_channels", Json()) == sweeps::data_set("imagenet_latents").channels;
  if (!hints.image_size && size) hints.image_size = *size * (latents ? sweeps::kLatentDownsampling : 1);
}

}  // namespace ditscale::worker
