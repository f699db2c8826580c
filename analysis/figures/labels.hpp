#pragma once

#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"

namespace ditscale::analysis {

/// Part of a canvas that the axes span, in pixels from the lower left corner.
struct PlotArea {
  double width = 960;
  double height = 600;
  double left = 90;
  double right = 710;
  double bottom = 80;
  double top = 545;
};

/// A label with the place of its end beside the point, or of its middle above or below it, in parts of the canvas.
struct PlacedLabel {
  std::string text;
  double x = 0;
  double y = 0;
  /// What of the text lies at x: texts are narrower than the room kept for them, and would stray from their points.
  enum class Anchor { kLeft, kCentre, kRight };
  Anchor anchor = Anchor::kLeft;
};

/// Finds a free place beside each labelled point: right, left, above or below it, overlapping neither a point, a line
/// between points, another label nor the border, and nearer to its own point than to any other. A label without such a
/// place is left out.
[[nodiscard]] std::vector<PlacedLabel> place_labels(const std::vector<Series>& series, const Scale& x, const Scale& y,
                                                    const PlotArea& area);

}  // namespace ditscale::analysis
