#include "analysis/figures/looks.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace ditscale::analysis {

namespace {

/// Okabe and Ito's colours without yellow: told apart by colour-blind readers, and of differing brightness.
constexpr std::array<const char*, 7> kColours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                              "#E69F00", "#56B4E9", "#000000"};
/// Filled and open shapes in turn, so that neighbours differ without colour too.
constexpr std::array<int, 10> kShapes{7, 5, 9, 13, 11, 6, 4, 8, 12, 10};
constexpr std::array<int, 4> kDashes{1, 2, 4, 5};
/// Bars differ in brightness and height.
constexpr std::array<const char*, 5> kBarColours{"#0072B2", "#E69F00", "#000000", "#56B4E9", "#D55E00"};
constexpr std::array<int, 3> kBarWidths{9, 6, 3};
/// Points in a terminal of characters.
constexpr std::string_view kCharacters = "ox+#@%&=~$abcdefghijkmnp";

/// Marks along a line.
constexpr int kMarksOfLine = 8;

/// Above so many, points are drawn small.
constexpr std::size_t kManyPoints = 200;

}  // namespace

std::string look_of(const Series& series, std::size_t number) {
  const SeriesStyle style = series.style.value_or(SeriesStyle{number, number, number / kShapes.size()});
  const char* colour = kColours[style.colour % kColours.size()];
  const int shape = kShapes[style.mark % kShapes.size()];
  const int dash = kDashes[style.dash % kDashes.size()];
  switch (series.look) {
    case Series::Look::kPointsAndLine:
      return fmt::format("with linespoints lc rgb '{}' lw 1.5 dt {} pt {} ps 0.9", colour, dash, shape);
    case Series::Look::kPoints:
      return fmt::format("with points lc rgb '{}' pt {} ps {}", colour, shape,
                         series.points.size() > kManyPoints ? 0.4 : 0.9);
    case Series::Look::kLine:
      return fmt::format("with linespoints lc rgb '{}' lw 1.5 dt {} pt {} ps 0.8 pn {}", colour, dash, shape,
                         kMarksOfLine);
    case Series::Look::kSegments:
      return fmt::format("with vectors nohead lc rgb '{}' lw {} dt 1", kBarColours[number % kBarColours.size()],
                         kBarWidths[number % kBarWidths.size()]);
    case Series::Look::kBackdrop:
      return "with points lc rgb '#999999' pt 6 ps 1.1";
    case Series::Look::kBand:
      return "with lines lc rgb '#BBBBBB' lw 7 dt 1";
    case Series::Look::kContour:
      return "with lines lc rgb '#888888' lw 0.8 dt 1";
    case Series::Look::kArea:
      return fmt::format("with filledcurves closed fc rgb '{}' fs transparent solid 0.2 noborder", colour);
    case Series::Look::kLaw:
      break;
  }
  return "with lines lc rgb '#000000' lw 1.5 dt 2";
}

char character_of(const Series& series, std::size_t number) {
  switch (series.look) {
    case Series::Look::kPointsAndLine:
    case Series::Look::kPoints:
    case Series::Look::kLine:
    case Series::Look::kSegments:
      return kCharacters[number % kCharacters.size()];
    case Series::Look::kBackdrop:
      return ',';
    case Series::Look::kBand:
    case Series::Look::kContour:
    case Series::Look::kArea:
      return '_';
    case Series::Look::kLaw:
      break;
  }
  return '.';
}

bool has_look_of_its_own(const Series& series) {
  return series.look != Series::Look::kBand && series.look != Series::Look::kLaw &&
         series.look != Series::Look::kBackdrop && series.look != Series::Look::kContour &&
         series.look != Series::Look::kArea;
}

}  // namespace ditscale::analysis
