#include "worker/data/prepare_plan.hpp"

#include <algorithm>
#include <system_error>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "sweeps/spec/data_sets.hpp"
#include "worker/data/latent_rows.hpp"
#include "worker/data/store_header.hpp"
#include "worker/storage/hdf5_file.hpp"
#include "worker/vae/vae_config.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::Json;

namespace {

constexpr std::size_t kMaxNames_bytes = std::size_t{1} << 36;

std::int64_t image_size_of(const PrepareSettings& settings, const SourceList& list) {
  if (settings.image_size) return *settings.image_size;
  if (list.side) return *list.side;
  throw common::UsageError(
      "--image-size is needed: the images have no size of their own (the paper's are 256 and 512)");
}

void settle_latents(PreparePlan& plan) {
  const PrepareSettings& settings = plan.settings;
  StoreFacts& facts = plan.facts;
  const VaeFacts vae = look_at_vae(settings.vae);
  if (vae.downsampling != sweeps::kLatentDownsampling)
    throw common::ConfigError(fmt::format("{}: its latents are 1/{} of the image's side, models here take 1/{}",
                                          settings.vae.string(), vae.downsampling, sweeps::kLatentDownsampling));
  if (facts.image_size % sweeps::kLatentDownsampling != 0)
    throw common::UsageError(
        fmt::format("--image-size {}: latents need a multiple of {}", facts.image_size, sweeps::kLatentDownsampling));
  if (facts.channels != 3) throw common::UsageError("the VAE takes colour images; these arrays are grey");
  facts.latents = true;
  facts.channels = vae.latent_channels;
  facts.side = facts.image_size / sweeps::kLatentDownsampling;
  facts.flips = settings.store_flips ? 2 : 1;
  facts.type = settings.full_precision ? at::kFloat : at::kHalf;
  facts.vae_digest = vae.digest;
  facts.scaling_factor = vae.scaling_factor;
  plan.norm_groups = vae.norm_groups;
}

void settle_embeddings(StoreFacts& facts, const PrepareSettings& settings) {
  const RowFile rows(settings.embeddings_file, settings.embeddings_dataset);
  const std::string label = fmt::format("{} of {}", settings.embeddings_dataset, settings.embeddings_file.string());
  const bool is_float = rows.type() == at::kHalf || rows.type() == at::kFloat;
  if (!is_float || rows.row_shape().size() != 2 || rows.row_bytes() == 0)
    throw common::ConfigError(
        fmt::format("{}: needed are float16 or float32 numbers of shape (images, tokens, width), "
                    "it holds {} of shape ({}, {})",
                    label, at::toString(rows.type()), rows.num_rows(), fmt::join(rows.row_shape(), ", ")));
  if (rows.num_rows() != facts.num_images)
    throw common::ConfigError(fmt::format("{}: {} rows for {} images; --list shows the images in their order", label,
                                          rows.num_rows(), facts.num_images));
  facts.context_tokens = rows.row_shape()[0];
  facts.context_width = rows.row_shape()[1];
  facts.context_type = rows.type();
}

/// What makes two preparations one and the same. What the VAE's config.json says stands in it only where it is not the
/// usual: stores of earlier versions stay valid.
Json identity_of(const PreparePlan& plan) {
  const PrepareSettings& s = plan.settings;
  Json identity{
      {"list", plan.list.digest},
      {"images", plan.list.num_images},
      {"image_size", plan.facts.image_size},
      {"vae", plan.facts.vae_digest},
      {"flips", plan.facts.flips},
      {"type", at::toString(plan.facts.type)},
      {"embeddings", s.embeddings_file.empty() ? "" : s.embeddings_file.string() + ":" + s.embeddings_dataset},
      {"shard", kShardImages}};
  const VaeConfig usual;
  if (plan.facts.latents && plan.facts.scaling_factor != usual.scaling_factor)
    identity["scaling_factor"] = plan.facts.scaling_factor;
  if (plan.facts.latents && plan.norm_groups != usual.norm_groups) identity["norm_groups"] = plan.norm_groups;
  return identity;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all.append(name).push_back('\0');
  return all;
}

std::vector<std::string> split(const std::string& all) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    names.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

/// The first image that one list has and the other has not.
std::string first_difference(const PartsPaths& paths, const SourceList& now) {
  const std::vector<std::string> before = split(common::read_file(paths.names(), kMaxNames_bytes));
  const auto [old_name, new_name] = std::mismatch(before.begin(), before.end(), now.names.begin(), now.names.end());
  if (old_name == before.end() && new_name == now.names.end()) return {};
  const bool gone =
      old_name != before.end() && std::find(now.names.begin(), now.names.end(), *old_name) == now.names.end();
  if (gone) return fmt::format("; {} is gone", *old_name);
  return new_name != now.names.end() ? fmt::format("; {} is new", *new_name) : "";
}

void refuse_change(const PreparePlan& plan, const PartsPaths& paths, const Json& before) {
  const Json now = identity_of(plan);
  std::string changes;
  Json keys = before;
  keys.update(now);
  for (const auto& [key, ignored] : keys.items()) {
    const Json value = now.value(key, Json()), old = before.value(key, Json());
    if (old != value)
      changes += fmt::format("{}{} {} (was {})", changes.empty() ? "" : ", ", key, value.dump(), old.dump());
  }
  throw common::ConfigError(
      fmt::format("{} holds the beginning of another preparation; changed: {}{}. Undo that, or "
                  "remove the folder to start anew",
                  paths.folder.string(), changes, first_difference(paths, plan.list)));
}

torch::Tensor labels_of(const SourceList& list) {
  if (list.labels.empty()) return torch::zeros({list.num_images}, torch::kLong);
  return torch::tensor(list.labels, torch::kLong);
}

}  // namespace

fs::path PartsPaths::shard(std::int64_t shard) const { return folder / fmt::format("shard-{:06}.json", shard); }
fs::path PartsPaths::claim(std::int64_t shard) const { return folder / fmt::format("shard-{:06}.lock", shard); }

PreparePlan make_plan(const PrepareSettings& settings) {
  PreparePlan plan{settings, list_source(settings.source, settings.labels), {}, 0};
  plan.settings.source = fs::absolute(settings.source);
  if (!settings.vae.empty()) plan.settings.vae = fs::absolute(settings.vae);
  if (!settings.embeddings_file.empty()) plan.settings.embeddings_file = fs::absolute(settings.embeddings_file);
  StoreFacts& facts = plan.facts;
  facts.image_size = image_size_of(settings, plan.list);
  facts.side = facts.image_size;
  facts.channels = plan.list.channels;
  facts.num_classes = plan.list.num_classes();
  facts.num_images = plan.list.num_images;
  facts.source = plan.settings.source.string();
  if (!settings.vae.empty()) settle_latents(plan);
  if (!settings.embeddings_file.empty()) settle_embeddings(facts, plan.settings);
  facts.plan = common::hash_hex128(common::canonical_text(identity_of(plan)));
  return plan;
}

void begin_parts(const PreparePlan& plan, const PartsPaths& paths) {
  if (fs::exists(paths.plan())) {
    const Json before = common::read_json(paths.plan()).value;
    if (before != identity_of(plan)) refuse_change(plan, paths, before);
    return;
  }
  common::write_file_atomically(paths.names(), joined(plan.list.names));
  const fs::path temporary = common::temporary_name(paths.store());
  create_store(temporary, plan.facts, plan.list.class_names, labels_of(plan.list));
  common::publish_file(temporary, paths.store());
  common::write_file_atomically(paths.plan(), identity_of(plan).dump(2) + "\n");
}

PreparePlan read_parts_plan(const PrepareSettings& settings, const PartsPaths& paths) {
  PreparePlan plan{settings, {}, {}, 0};
  plan.facts = read_header_text(Hdf5File::open(paths.store()).read_text(kHeaderName), paths.store().string());
  plan.list.kind = kind_of_source(settings.source);
  plan.list.names = split(common::read_file(paths.names(), kMaxNames_bytes));
  plan.list.num_images = plan.facts.num_images;
  return plan;
}

}  // namespace ditscale::worker
