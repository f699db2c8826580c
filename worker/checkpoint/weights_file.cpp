#include "worker/checkpoint/weights_file.hpp"

#include <system_error>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

using common::CorruptData;
using common::Json;

namespace {

constexpr const char* kWeightsKind = "weights";

Json read_json_text(const Hdf5File& file, const std::string& name, const std::filesystem::path& path) {
  try {
    return common::parse_json(file.read_text(name), fmt::format("{} ({})", path.string(), name)).value;
  } catch (const common::ConfigError& error) {
    throw CorruptData(error.what());
  }
}

}  // namespace

void write_weights_file(const std::filesystem::path& path, const ModelHeader& header, const FlatLayout& layout,
                        const torch::Tensor& ema) {
  const std::filesystem::path temporary = common::temporary_name(path);
  try {
    Hdf5File file = Hdf5File::create(temporary);
    const Json json{{"version", kWeightsVersion},
                    {"kind", kWeightsKind},
                    {"step", header.step ? Json(*header.step) : Json(nullptr)},
                    {"origin", header.origin},
                    {"trial", header.trial}};
    file.write_text("header", json.dump());
    file.write_text("layout", layout_json(layout).dump());
    file.write("ema", ema.cpu());
    file.close();
    common::publish_file(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

ModelHeader read_model_header(const std::filesystem::path& path) {
  const Json json = read_json_text(Hdf5File::open(path), "header", path);
  if (!json.is_object() || json.value("kind", Json()) != kWeightsKind) {
    const CheckpointHeader checkpoint = read_checkpoint_header(path);
    return {checkpoint.trial, checkpoint.step, nullptr};
  }
  if (json.value("version", Json()) != kWeightsVersion) {
    throw CorruptData(fmt::format("{}: weights file of version {}, this program reads {}", path.string(),
                                  common::shown(json.value("version", Json())), kWeightsVersion));
  }
  const Json step = json.value("step", Json());
  const bool has_step = step.is_number_integer() && step.get<std::int64_t>() >= 0;
  if (!json.contains("trial") || (!has_step && !step.is_null()))
    throw CorruptData(fmt::format("{}: the header of a weights file needs \"trial\" and \"step\"", path.string()));
  return {json["trial"], has_step ? std::optional(step.get<std::int64_t>()) : std::nullopt,
          json.value("origin", Json())};
}

torch::Tensor read_flat_weights(const std::filesystem::path& path, const FlatLayout& layout,
                                const std::string& buffer) {
  const Hdf5File file = Hdf5File::open(path);
  if (read_json_text(file, "layout", path) != layout_json(layout))
    throw CorruptData(fmt::format("{}: its parameters are not those of the model in its header", path.string()));
  if (!file.has(buffer)) {
    throw common::ConfigError(
        fmt::format("{} holds no {}: imported weights are one set, taken as \"ema\"", path.string(), buffer));
  }
  return file.read(buffer, torch::kFloat32, {layout.size()});
}

}  // namespace ditscale::worker
