#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/json_document.hpp"
#include "worker/torch.hpp"
#include "worker/training/train_state.hpp"

namespace ditscale::worker {

/// Version of the snapshot format; stored, never renumber.
inline constexpr std::int64_t kEmaSnapshotVersion = 1;

/// What a snapshot of the post-hoc EMA says of itself.
struct EmaSnapshotHeader {
  std::int64_t step = 0;
  /// The resolved trial.
  common::Json trial;
  /// XXH3 of each average's bytes.
  std::vector<std::string> digests;
};

/// Writes the averages of `state` (HDF5: /header and /layout as JSON text, /power_ema_0 and /power_ema_1;
/// docs/formats.md), whole or not at all.
void write_ema_snapshot(const std::filesystem::path& path, const TrainState& state, const common::Json& trial);

/// Throws CorruptData when the file is not a snapshot of a known version.
[[nodiscard]] EmaSnapshotHeader read_ema_snapshot_header(const std::filesystem::path& path);

/// Average number `index` of kStoredSigmaRel, (P) float32, checked against `layout` and its digest (CorruptData).
[[nodiscard]] torch::Tensor read_power_ema(const std::filesystem::path& path, const FlatLayout& layout,
                                           std::size_t index);

/// A trial's snapshots, oldest first; of names alone, nothing is opened.
struct EmaSnapshotFile {
  std::int64_t step = 0;
  std::filesystem::path file;
};
[[nodiscard]] std::vector<EmaSnapshotFile> list_ema_snapshots(const std::filesystem::path& folder);

}  // namespace ditscale::worker
