#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/trial_paths.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// Why a trainer of these cells would miss a file: `data.root`, or a file that a score names. Empty when all are there.
/// Not looked for: what a data set's package installs, and a score's `guide`, which may be a trial of the same study.
[[nodiscard]] std::optional<std::string> why_files_are_missing(const std::vector<sweeps::Cell>& cells);

/// What these cells will yet write, and that it is more than the disk of the study's folder has free; empty when it
/// fits, or when the free space is not known.
[[nodiscard]] std::optional<std::string> why_disk_is_short(const std::vector<sweeps::Cell>& cells,
                                                           const common::StudyPaths& study);

}  // namespace ditscale::orchestrator
