#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "worker/data/image_source.hpp"
#include "worker/data/store.hpp"

namespace ditscale::worker {

/// What is asked of `worker prepare`.
struct PrepareSettings {
  std::filesystem::path source;
  std::filesystem::path out;
  /// Of an IDX file; empty: its neighbour.
  std::filesystem::path labels;
  /// Side of the square that is cut out; absent: that of square arrays.
  std::optional<std::int64_t> image_size;
  /// Makes latents instead of pixels.
  std::filesystem::path vae;
  /// Latents of the mirror image too. Without, a flip in training mirrors the latent, which is not quite the latent of
  /// the mirrored image.
  bool store_flips = true;
  /// float32 moments instead of float16.
  bool full_precision = false;
  /// Where the VAE runs: "auto", "cpu" or "cuda". Does not change what is asked.
  std::string device = "auto";
  /// HDF5 file and dataset (N, L, E) with the embeddings of the images, in their order.
  std::filesystem::path embeddings_file;
  std::string embeddings_dataset;
};

/// The files of a preparation that is under way, in "<out>.parts". Rows are written where they will stay, so nothing is
/// written twice: the store moves to its name when it is whole.
struct PartsPaths {
  explicit PartsPaths(const std::filesystem::path& store) : out(store), folder(store.string() + ".parts") {}

  [[nodiscard]] std::filesystem::path plan() const { return folder / "plan.json"; }
  [[nodiscard]] std::filesystem::path names() const { return folder / "names"; }
  [[nodiscard]] std::filesystem::path store() const { return folder / "store.h5"; }
  [[nodiscard]] std::filesystem::path compacted() const { return folder / "compacted.h5"; }
  [[nodiscard]] std::filesystem::path lock() const { return folder / "lock"; }
  [[nodiscard]] std::filesystem::path log() const { return folder / "log.txt"; }
  /// Written last, when the shard's rows are on the disk.
  [[nodiscard]] std::filesystem::path shard(std::int64_t shard) const;
  [[nodiscard]] std::filesystem::path claim(std::int64_t shard) const;
  [[nodiscard]] std::filesystem::path damaged() const { return out.string() + ".damaged.txt"; }

  std::filesystem::path out;
  std::filesystem::path folder;
};

/// Images that are one unit of work: done by one process, and done again when it is killed.
inline constexpr std::int64_t kShardImages = 1000;

/// Everything that decides what goes into a store, worked out once.
struct PreparePlan {
  PrepareSettings settings;
  SourceList list;
  /// `num_images` counts damaged images too.
  StoreFacts facts;
  /// Groups of the VAE's normalisations; 0 for pixels.
  std::int64_t norm_groups = 0;

  [[nodiscard]] std::int64_t num_shards() const { return (list.num_images + kShardImages - 1) / kShardImages; }
};

/// Looks through the source and settles the store's facts. Throws UsageError or ConfigError for settings that do not
/// fit each other or the source.
[[nodiscard]] PreparePlan make_plan(const PrepareSettings& settings);

/// Starts a preparation or finds the one that was begun: afterwards `paths` holds the plan, the names and a store with
/// room for all rows. Throws ConfigError when what was begun is another preparation, saying what has changed.
void begin_parts(const PreparePlan& plan, const PartsPaths& paths);

/// What a process that fills shards needs of a plan that was begun with these settings: no labels, no class names.
[[nodiscard]] PreparePlan read_parts_plan(const PrepareSettings& settings, const PartsPaths& paths);

}  // namespace ditscale::worker
