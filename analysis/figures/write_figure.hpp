#pragma once

#include <filesystem>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "analysis/figures/figure.hpp"
#include "analysis/figures/layout.hpp"

namespace ditscale::analysis {

/// Where a figure comes from, for its JSON.
struct Provenance {
  std::string version;
  /// The source's git revision.
  std::string revision;
  std::vector<std::string> command_line;
};

/// Writes <folder>/<name>.{svg,png,pdf,csv,json} and returns their paths. The JSON holds what was drawn, from which
/// database, under which settings (`details`), by which program, and the hash of the CSV. Each file appears whole.
std::vector<std::filesystem::path> write_figure(const Figure& figure, const std::filesystem::path& folder,
                                                const Provenance& provenance, const common::Json& details,
                                                const PictureSize& size);

/// Writes figures while others are still being made.
class FigureWriter {
 public:
  /// `provenance` must outlive the writer.
  FigureWriter(std::filesystem::path folder, const Provenance& provenance, PictureSize size)
      : folder_(std::move(folder)), provenance_(provenance), size_(size) {}
  /// Begins to write `figure`, which must stay as it is until `finish`.
  void start(const Figure& figure, common::Json details);
  /// Waits for all and returns their paths in the order in which they were started. The first error is thrown on.
  std::vector<std::filesystem::path> finish();

 private:
  std::filesystem::path folder_;
  const Provenance& provenance_;
  PictureSize size_;
  std::vector<std::future<std::vector<std::filesystem::path>>> running_;
};

/// The figure in characters, with its legend below, in `rows` lines where a legend of many names leaves room.
[[nodiscard]] std::string figure_text(const Figure& figure, std::size_t columns, std::size_t rows);

}  // namespace ditscale::analysis
