#pragma once

#include <functional>
#include <string>

#include "analysis/figures/figure.hpp"
#include "analysis/figures/layout.hpp"

namespace ditscale::analysis {

/// Heights of the fonts on a canvas, in its pixels: of all texts, and of labels beside points and below pictures.
inline constexpr double kFont = 12;
inline constexpr double kLabelFont = 10;

/// A figure as commands of gnuplot.
struct Drawing {
  /// Of the canvas, in pixels.
  double width = 0;
  double height = 0;
  /// Set once.
  std::string common;
  /// Set for each terminal: texts with a font of their own, in a unit of so many pixels.
  std::function<std::string(double font_unit)> texts;
  std::string plot;
};

[[nodiscard]] Drawing drawing_of_series(const Figure& figure, const PictureSize& size);
/// Of `figure.images`: in rows, captions below.
[[nodiscard]] Drawing drawing_of_images(const Figure& figure, const PictureSize& size);

}  // namespace ditscale::analysis
