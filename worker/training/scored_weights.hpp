#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/trial_paths.hpp"

namespace ditscale::worker {

/// Averaged weights that are kept until the scores to be made of them apart are made.
[[nodiscard]] std::filesystem::path scored_weights_file(const common::TrialPaths& paths, std::int64_t step);

/// The steps of which there are any, oldest first; of names alone.
[[nodiscard]] std::vector<std::int64_t> list_scored_weights(const common::TrialPaths& paths);

/// Removes scores, kept weights and snapshots of averages that were made of weights beyond this step: those are trained
/// again, perhaps on another device.
void remove_beyond(std::int64_t step, const common::TrialPaths& paths);

}  // namespace ditscale::worker
