#pragma once

#include <filesystem>
#include <vector>

#include "analysis/figures/write_figure.hpp"

namespace ditscale::analysis {

/// Writes trials.csv, evaluations.csv and metrics.csv (the views, whole, row after row) and export.json (where they
/// come from) into `folder`. Each file appears whole. Returns their paths.
[[nodiscard]] std::vector<std::filesystem::path> export_views(const std::filesystem::path& database,
                                                              const std::filesystem::path& folder,
                                                              const Provenance& provenance);

}  // namespace ditscale::analysis
