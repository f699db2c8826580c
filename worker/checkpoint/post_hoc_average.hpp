#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "common/json_document.hpp"
#include "worker/model/flat_parameters.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// An average of a trial's weights of any width, rebuilt from the snapshots of two (Karras et al. 2024, "EDM2").
struct PostHocAverage {
  /// The resolved trial.
  common::Json trial;
  /// The last snapshot's.
  std::int64_t step = 0;
  std::size_t num_snapshots = 0;
  FlatLayout layout;
  torch::Tensor values;  // (P) float32, on the CPU
};

/// `trial` is the trial's folder, `sigma_rel` the width over the length of training (0 to kLargestSigmaRel), `step`
/// that of the last snapshot to use; absent: the newest. Throws ConfigError when the trial has no snapshots, or none of
/// that step, CorruptData when one is damaged.
[[nodiscard]] PostHocAverage rebuild_average(const std::filesystem::path& trial, double sigma_rel,
                                             std::optional<std::int64_t> step = std::nullopt);

}  // namespace ditscale::worker
