#include "worker/vae/vae_weights.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/vae/vae_layout.hpp"
#include "worker/weights/safetensors.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::ConfigError;
using common::CorruptData;
using common::Json;

namespace {

constexpr const char* kFileInFolder = "diffusion_pytorch_model.safetensors";

/// From current names to those in the file.
std::map<std::string, std::string> names_in(const SafetensorsFile& file, const std::string& label) {
  std::map<std::string, std::string> result;
  for (const std::string& name : file.names()) {
    const auto [place, is_new] = result.emplace(current_vae_name(name), name);
    if (!is_new) throw CorruptData(fmt::format("{}: {} and {} are the same tensor", label, place->second, name));
  }
  return result;
}

/// A matrix of an attention that is stored as a 1 x 1 convolution reads as a matrix.
std::vector<std::int64_t> shape_of(const SafetensorsFile& file, const std::string& current, const std::string& stored) {
  std::vector<std::int64_t> shape = file.entry(stored).shape;
  const bool is_matrix = current.find(".attentions.") != std::string::npos && current.find(".to_") != std::string::npos;
  if (is_matrix && shape.size() == 4 && shape[2] == 1 && shape[3] == 1) shape.resize(2);
  return shape;
}

/// One field of config.json that the shapes know as well.
void require_same(const Json& json, const char* key, const Json& visible, const std::string& file) {
  if (json.contains(key) && !json[key].is_null() && json[key] != visible) {
    throw ConfigError(fmt::format("{}: {} is {}, but the weights beside it have {}", file, key,
                                  common::shown(json[key]), common::shown(visible)));
  }
}

/// A field whose other values name another network.
void require_absent_or(const Json& json, const char* key, const Json& allowed, const std::string& file) {
  if (json.contains(key) && !json[key].is_null() && json[key] != allowed) {
    throw ConfigError(fmt::format("{}: {} is {}; only {} can be computed here", file, key, common::shown(json[key]),
                                  common::shown(allowed)));
  }
}

double positive(const Json& json, const char* key, double otherwise, const std::string& file) {
  if (!json.contains(key) || json[key].is_null()) return otherwise;
  if (!json[key].is_number() || !(json[key].get<double>() > 0)) {
    throw ConfigError(fmt::format("{}: {} is {}; it must be a number above 0", file, key, common::shown(json[key])));
  }
  return json[key].get<double>();
}

void read_config(const fs::path& path, VaeConfig& config) {
  if (!fs::is_regular_file(path)) return;
  const std::string file = path.string();
  const Json json = common::read_json(path).value;
  if (!json.is_object() || json.value("_class_name", Json()) != "AutoencoderKL") return;
  require_same(json, "in_channels", config.image_channels, file);
  require_same(json, "out_channels", config.image_channels, file);
  require_same(json, "latent_channels", config.latent_channels, file);
  require_same(json, "layers_per_block", config.layers_per_block, file);
  require_same(json, "block_out_channels", config.block_out_channels, file);
  require_absent_or(json, "act_fn", "silu", file);
  require_absent_or(json, "mid_block_add_attention", true, file);
  require_absent_or(json, "shift_factor", 0.0, file);
  require_absent_or(json, "latents_mean", nullptr, file);
  require_absent_or(json, "latents_std", nullptr, file);
  config.scaling_factor = positive(json, "scaling_factor", config.scaling_factor, file);
  const double groups = positive(json, "norm_num_groups", static_cast<double>(config.norm_groups), file);
  config.norm_groups = static_cast<std::int64_t>(std::min(groups, 1e9));
  if (static_cast<double>(config.norm_groups) != groups)
    throw ConfigError(fmt::format("{}: norm_num_groups is {}; it must be a whole number", file, groups));
}

void check_groups(const VaeConfig& config, const std::string& file) {
  for (const std::int64_t width : config.block_out_channels) {
    if (width % config.norm_groups != 0) {
      throw ConfigError(fmt::format(
          "{}: {} channels do not divide into {} groups: put the config.json that says norm_num_groups beside the file",
          file, width, config.norm_groups));
    }
  }
}

torch::Tensor read_tensor(const SafetensorsFile& file, const std::string& stored, at::IntArrayRef shape,
                          torch::Device device) {
  const torch::Tensor tensor = file.read(stored).reshape(shape).to(device, torch::kFloat32);
  return tensor.dim() == 4 ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor;
}

}  // namespace

torch::Tensor VaeWeights::at(const std::string& name) const {
  const auto found = tensors.find(name);
  DITSCALE_CHECK(found != tensors.end(), "the layout of the VAE has no tensor {}", name);
  return found->second;
}

VaeWeights load_vae_weights(const fs::path& path, torch::Device device) {
  const fs::path file_path = fs::is_directory(path) ? path / kFileInFolder : path;
  const std::string label = file_path.string();
  const SafetensorsFile file = SafetensorsFile::open(file_path);
  const auto names = names_in(file, label);
  TensorShapes shapes;
  for (const auto& [current, stored] : names) {
    if (!at::isFloatingType(file.entry(stored).type)) {
      throw CorruptData(fmt::format("{}: {} holds {} values; weights are floating-point numbers", label, stored,
                                    at::toString(file.entry(stored).type)));
    }
    shapes[current] = shape_of(file, current, stored);
  }
  VaeWeights weights;
  weights.config = vae_config_from(shapes, label);
  read_config(file_path.parent_path() / "config.json", weights.config);
  check_groups(weights.config, label);
  weights.digest = file_digest(file_path);
  for (const auto& [current, stored] : names) {
    weights.tensors[current] = read_tensor(file, stored, shapes[current], device);
  }
  return weights;
}

}  // namespace ditscale::worker
