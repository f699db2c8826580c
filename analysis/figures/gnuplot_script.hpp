#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"
#include "analysis/figures/layout.hpp"
#include "analysis/figures/picture_files.hpp"

namespace ditscale::analysis {

/// gnuplot's text for the figure as SVG, as PNG (some 2,000 pixels wide) and as PDF. All text of users stands in single
/// quotes, where gnuplot neither expands nor executes anything, and enhanced text is off.
[[nodiscard]] std::string picture_script(const Figure& figure, const PictureSize& size, const PictureFiles& files);

/// The same for a terminal of characters, without a legend: that would lie over the points.
[[nodiscard]] std::string terminal_script(const Figure& figure, std::size_t columns, std::size_t rows,
                                          const std::filesystem::path& output);

/// Lines that stand below it: "o patch 7   x patch 4".
[[nodiscard]] std::vector<std::string> terminal_legend(const Figure& figure, std::size_t columns);

/// 'text' for gnuplot, between single quotes: an apostrophe becomes its typographic sister, control characters go.
[[nodiscard]] std::string quoted(const std::string& text);

/// 'path' for gnuplot, absolute and exact.
[[nodiscard]] std::string quoted(const std::filesystem::path& path);

}  // namespace ditscale::analysis
