#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/json_document.hpp"
#include "worker/torch.hpp"
#include "worker/training/train_state.hpp"

namespace ditscale::worker {

/// Version of the checkpoint format; stored, never renumber.
inline constexpr std::int64_t kCheckpointVersion = 1;

/// A frozen copy of a training state in the processor's memory, ready to be written while training goes on.
struct Snapshot {
  torch::Tensor weights, moment1, moment2, ema;
  PowerEma power_ema;
  FlatLayout layout;
  std::int64_t step = 0;
  std::int64_t images_seen = 0;
  double training_s = 0;
  MetricWindow window;
  /// The resolved trial (TrialSpec::to_json) and the precision that really ran.
  common::Json trial;
  std::string precision;
  /// Digest of the images that were trained on.
  std::string data_digest;
};

[[nodiscard]] Snapshot take_snapshot(const TrainState& state, const common::Json& trial, const std::string& precision,
                                     const std::string& data_digest);

/// The layout as files keep it: name, shape and offset of each parameter.
[[nodiscard]] common::Json layout_json(const FlatLayout& layout);
/// Dataset of average number `index` of the post-hoc EMA.
[[nodiscard]] std::string power_ema_name(std::size_t index);

/// What a checkpoint says of itself.
struct CheckpointHeader {
  std::int64_t step = 0;
  std::int64_t images_seen = 0;
  double training_s = 0;
  MetricWindow window;
  common::Json trial;
  std::string precision;
  std::string data_digest;
};

/// Writes the HDF5 file: /header and /layout (JSON text), /weights, /moment1, /moment2, /ema, /power_ema_0,
/// /power_ema_1 (float32, flat; the last two where the trial keeps them; docs/formats.md). Randomness needs no state:
/// it is a function of seed and images seen.
void write_checkpoint_file(const std::filesystem::path& path, const Snapshot& snapshot);

/// Throws CorruptData when the file is not a checkpoint of a known version.
[[nodiscard]] CheckpointHeader read_checkpoint_header(const std::filesystem::path& path);

/// Fills the buffers and counters of `state`, whose layout must be the file's. Throws CorruptData when it is not.
void load_checkpoint_file(const std::filesystem::path& path, TrainState& state);

/// XXH3 (128 bits, hex) of a file's bytes, read in pieces.
[[nodiscard]] std::string file_digest(const std::filesystem::path& path);

}  // namespace ditscale::worker
