#include "worker/data/store_header.hpp"

#include <array>
#include <utility>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/object_reader.hpp"
#include "sweeps/spec/data_sets.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

/// Version of the format; a reader refuses others.
constexpr std::int64_t kVersion = 1;
/// Bounds that keep every product of sizes far from overflow.
constexpr double kMaxSide = 65'500, kMaxChannels = 1024, kMaxImages = 1e12, kMaxContext = 1 << 20;

constexpr std::array<std::pair<at::ScalarType, const char*>, 3> kTypeNames{
    {{at::kByte, "uint8"}, {at::kHalf, "float16"}, {at::kFloat, "float32"}}};

std::string name_of(at::ScalarType type) {
  for (const auto& [known, name] : kTypeNames) {
    if (known == type) return name;
  }
  throw common::InternalError(fmt::format("a store holds no {}", at::toString(type)));
}

at::ScalarType type_of(const std::string& name) {
  for (const auto& [type, known] : kTypeNames) {
    if (name == known) return type;
  }
  throw common::InternalError(fmt::format("no type is called {}", name));
}

Json content_of(const StoreFacts& f) {
  Json json{{"version", kVersion},
            {"space", f.latents ? "latents" : "pixels"},
            {"image_size", f.image_size},
            {"channels", f.channels},
            {"side", f.side},
            {"num_classes", f.num_classes},
            {"num_images", f.num_images},
            {"type", name_of(f.type)},
            {"crop", "adm"},
            {"flips", f.flips}};
  if (f.latents) {
    json["vae_digest"] = f.vae_digest;
    json["scaling_factor"] = f.scaling_factor;
  }
  if (f.has_context()) {
    json["context_tokens"] = f.context_tokens;
    json["context_width"] = f.context_width;
    json["context_type"] = name_of(f.context_type);
  }
  return json;
}

std::string_view bytes_of(const torch::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

void check(bool fits, const std::string& file, const char* what) {
  if (!fits) throw common::CorruptData(fmt::format("{}: its header is not sound: {}", file, what));
}

StoreFacts read_facts(const common::JsonDocument& document) {
  common::ObjectReader reader(document, document.value, "");
  StoreFacts f;
  std::int64_t version = 0;
  reader.get("version", version, {kVersion, kVersion});
  std::string space = "pixels", type = "uint8", context_type = "float16", crop;
  reader.get_choice("space", space, {"pixels", "latents"});
  f.latents = space == "latents";
  reader.get("image_size", f.image_size, {1, kMaxSide});
  reader.get("channels", f.channels, {1, kMaxChannels});
  reader.get("side", f.side, {1, kMaxSide});
  reader.get("num_classes", f.num_classes, {0, kMaxImages});
  reader.get("num_images", f.num_images, {1, kMaxImages});
  reader.get("flips", f.flips, {1, 2});
  reader.get_choice("type", type, {"uint8", "float16", "float32"});
  f.type = type_of(type);
  reader.get_choice("crop", crop, {"adm"});
  reader.get("vae_digest", f.vae_digest);
  reader.get("scaling_factor", f.scaling_factor, {.low = 0, .high = 1e6, .low_open = true});
  reader.get("context_tokens", f.context_tokens, {1, kMaxContext});
  reader.get("context_width", f.context_width, {1, kMaxContext});
  reader.get_choice("context_type", context_type, {"float16", "float32"});
  f.context_type = type_of(context_type);
  reader.get("source", f.source);
  reader.get("plan", f.plan);
  reader.finish();
  return f;
}

}  // namespace

std::vector<std::int64_t> StoreFacts::row_shape() const {
  if (latents) return {flips, 2 * channels, side, side};
  return {channels, side, side};
}

std::string header_text(const StoreFacts& facts) {
  Json json = content_of(facts);
  json["source"] = common::valid_utf8(facts.source);
  json["plan"] = facts.plan;
  return json.dump(2);
}

StoreFacts read_header_text(const std::string& text, const std::string& file) {
  try {
    const common::JsonDocument document = common::parse_json(text, file + ": header");
    const StoreFacts f = read_facts(document);
    check(document.value.contains("version"), file, "it has no version");
    check(f.image_size > 0 && f.side > 0 && f.channels > 0 && f.num_images > 0, file, "a size is missing");
    check(f.latents == (f.type != at::kByte), file, "pixels are uint8, moments are not");
    check(!f.latents || f.image_size == f.side * sweeps::kLatentDownsampling, file,
          "latents are an eighth of the side");
    check(f.latents || (f.flips == 1 && f.side == f.image_size), file, "pixels come once, at the image's size");
    check((f.context_tokens > 0) == (f.context_width > 0), file, "embeddings have a length and a width");
    return f;
  } catch (const common::ConfigError& error) {
    throw common::CorruptData(error.what());
  }
}

std::string class_names_text(const std::vector<std::string>& names) {
  Json json = Json::array();
  for (const std::string& name : names) json.push_back(common::valid_utf8(name));
  return json.dump();
}

std::vector<std::string> read_class_names_text(const std::string& text, const std::string& file) {
  try {
    const Json json = common::parse_json(text, file + ": class_names").value;
    std::vector<std::string> names;
    check(json.is_array(), file, "class_names is no list");
    for (const Json& name : json) {
      check(name.is_string(), file, "a class name is no text");
      names.push_back(name.get<std::string>());
    }
    return names;
  } catch (const common::ConfigError& error) {
    throw common::CorruptData(error.what());
  }
}

std::string store_digest(const StoreFacts& facts, const std::string& class_names, const torch::Tensor& labels,
                         const torch::Tensor& row_hashes) {
  std::string all = common::canonical_text(content_of(facts)) + "\n";
  all.append(class_names).append("\n").append(bytes_of(labels)).append(bytes_of(row_hashes));
  return common::hash_hex128(all);
}

}  // namespace ditscale::worker
