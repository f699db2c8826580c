#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"

namespace ditscale::analysis {

/// Where a figure comes from, for its JSON.
struct Provenance {
  std::string version;
  /// The source's git revision.
  std::string revision;
  std::vector<std::string> command_line;
};

/// Writes <folder>/<name>.{svg,png,csv,json} and returns their paths. The JSON holds what was drawn, from which
/// database, under which settings (`details`), by which program, and the hash of the CSV. Each file appears whole.
std::vector<std::filesystem::path> write_figure(const Figure& figure, const std::filesystem::path& folder,
                                                const Provenance& provenance, const common::Json& details);

/// The figure in characters.
[[nodiscard]] std::string figure_text(const Figure& figure, std::size_t columns, std::size_t rows);

}  // namespace ditscale::analysis
