#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/figures/figure.hpp"
#include "analysis/figures/labels.hpp"

namespace ditscale::analysis {

/// A canvas in pixels of kPixel_mm: text is 12 of them high, which is 8 points on paper, whatever the size.
struct PictureSize {
  double width = 0;
  double height = 0;
};
inline constexpr double kPixel_mm = 0.2352;

/// "page" (170 mm wide), "column" (85 mm) or "slide" (16:9, with larger text once it fills a wall); anything else is a
/// UsageError.
[[nodiscard]] PictureSize picture_size_from(const std::string& name);
inline constexpr std::string_view kDefaultSize = "page";

/// Where everything of a figure goes on a canvas, so that no text meets another or the border.
struct Layout {
  PlotArea area;
  /// Of one or more lines each.
  std::vector<std::string> title;
  std::vector<std::string> x_label;
  std::vector<std::string> y_label;
  /// Below the plot, in so many columns; 0: to its right.
  std::size_t legend_columns = 0;
  /// Names of the series in the legend, cut to what there is room for.
  std::vector<std::string> names;
  /// Names of categories, cut likewise.
  std::vector<std::string> categories;
};

/// Width of a character of the 12-pixel font, with a little to spare.
inline constexpr double kCharacter_px = 7.6;

/// `y_ticks` are the marks of a y axis without categories.
[[nodiscard]] Layout layout_of(const Figure& figure, const std::vector<std::string>& y_ticks, const PictureSize& size);

/// `text` in lines of at most `width` characters, broken at spaces; no more than `most` lines, the last one cut.
[[nodiscard]] std::vector<std::string> wrapped(const std::string& text, std::size_t width, std::size_t most);

}  // namespace ditscale::analysis
