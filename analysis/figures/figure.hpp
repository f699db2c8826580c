#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/tables/table.hpp"

namespace ditscale::analysis {

/// One point of a figure.
struct FigurePoint {
  double x = 0;
  double y = 0;
  /// Written beside the point where there is room; may be empty.
  std::string label;
};

/// Numbers of a series' colour, mark and dash, each begun anew after the last.
struct SeriesStyle {
  std::size_t colour = 0;
  std::size_t mark = 0;
  std::size_t dash = 0;
};

/// Points that share a look and a line in the legend.
struct Series {
  std::string name;
  std::vector<FigurePoint> points;
  enum class Look {
    /// Points joined by a thin line.
    kPointsAndLine,
    kPoints,
    kLine,
    /// Each two points are a thick line of their own (bars of a Gantt chart).
    kSegments,
    /// Open grey circles below everything else (what others measured).
    kBackdrop,
    /// A broad grey line below everything else (an envelope).
    kBand,
    /// A thin grey line without a place in the legend (equal values of a surface).
    kContour,
    /// A dashed black line (a fitted law).
    kLaw,
    /// A light area without a place in the legend: its points go round it. It has the colour of the next series (an
    /// interval around a line).
    kArea,
  };
  Look look = Look::kPointsAndLine;
  /// Where it says what the series is; else it follows from the series' place.
  std::optional<SeriesStyle> style{};
};

struct Axis {
  std::string label;
  bool logarithmic = false;
  /// Names of 0, 1, 2 …, from the top; empty for numbers.
  std::vector<std::string> categories{};
  /// Ends of the data; what is drawn beyond the upper one is shaded. Empty: nothing is.
  std::optional<std::pair<double, double>> data{};
};

/// A PNG with the words below it.
struct FigureImage {
  std::filesystem::path file;
  std::string caption;
  int width_px = 0;
  int height_px = 0;
};

/// What is drawn, apart from how. `table` holds the numbers behind it, for the CSV.
struct Figure {
  /// File name without its ending.
  std::string name;
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
  /// Drawn instead of series, from the left and the top.
  std::vector<FigureImage> images;
  Table table;
  /// What a reader should know; for pages.
  std::string note;

  [[nodiscard]] bool empty() const;
};

/// Shown part of an axis and its marks.
struct Scale {
  double low = 0;
  double high = 1;
  bool logarithmic = false;
  std::vector<double> ticks;
  /// Where `value` lies between low (0) and high (1).
  [[nodiscard]] double place(double value) const;
};

/// A scale with room around `values` and three to nine marks at round numbers. Works for one value.
[[nodiscard]] Scale scale_for(const std::vector<double>& values, bool logarithmic);

/// A mark as text: "250", "0.02", "2×10¹³" ("2e13" when `ascii`).
[[nodiscard]] std::string tick_text(double value, bool ascii);

}  // namespace ditscale::analysis
