#include "analysis/figures/gnuplot_script.hpp"

#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "analysis/figures/labels.hpp"
#include "analysis/tables/cell_text.hpp"

namespace ditscale::analysis {

namespace {

/// Okabe and Ito's colours without yellow: told apart by colour-blind readers, and of differing brightness.
constexpr std::array<const char*, 7> kColours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                              "#E69F00", "#56B4E9", "#000000"};
/// Filled and open shapes in turn, so that neighbours differ without colour too.
constexpr std::array<int, 10> kShapes{7, 5, 9, 13, 11, 6, 4, 8, 12, 10};
constexpr std::array<int, 4> kDashes{1, 2, 4, 5};
/// Points in a terminal of characters.
constexpr std::array<char, 10> kCharacters{'o', 'x', '+', '#', '@', '%', '&', '=', '~', '$'};

/// Width of a character of an axis mark, in parts of the axis: of a picture, and of 65 columns of a terminal.
constexpr double kPictureCharacter = 9.8 / 620;
constexpr double kTerminalCharacter = 1.0 / 65;

/// Above so many, points are drawn small.
constexpr std::size_t kManyPoints = 200;

std::string ticks_of(const std::vector<double>& ticks, bool ascii) {
  std::string text;
  for (const double tick : ticks) {
    text += fmt::format("{}{} {:.17g}", text.empty() ? "" : ", ", quoted(tick_text(tick, ascii)), tick);
  }
  return text;
}

/// As many names as there is room for.
std::string category_ticks(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 24;
  const std::size_t apart = names.size() / kMost + 1;
  std::string text;
  for (std::size_t i = 0; i < names.size(); i += apart) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", quoted(cut_to(names[i], 10)), i);
  }
  return text;
}

/// Marks of a horizontal axis whose texts do not touch; those that would touch the one before are left out.
std::vector<double> uncrowded(const Scale& scale, bool ascii) {
  const double character = ascii ? kTerminalCharacter : kPictureCharacter;
  std::vector<double> kept;
  double end_of_last = -1;
  for (const double tick : scale.ticks) {
    const double half = character * static_cast<double>(width_of(tick_text(tick, ascii)) + 1) / 2;
    if (scale.place(tick) - half < end_of_last) continue;
    kept.push_back(tick);
    end_of_last = scale.place(tick) + half;
  }
  return kept;
}

struct Scales {
  Scale x;
  Scale y;
};

Scales scales_of(const Figure& figure) {
  std::vector<double> xs;
  std::vector<double> ys;
  for (const Series& series : figure.series) {
    for (const FigurePoint& point : series.points) {
      xs.push_back(point.x);
      ys.push_back(point.y);
    }
  }
  Scale y = scale_for(ys, figure.y.logarithmic);
  if (!figure.y.categories.empty()) {
    const auto last = static_cast<double>(figure.y.categories.size()) - 0.5;
    y = {last, -0.5, false, {}};  // from the top
    for (std::size_t i = 0; i < figure.y.categories.size(); ++i) y.ticks.push_back(static_cast<double>(i));
  }
  return {scale_for(xs, figure.x.logarithmic), y};
}

/// Points that a picture can tell apart: of those that fall into one cell of a fine grid, the first.
std::vector<FigurePoint> distinguishable(const Series& series, const Scales& scales) {
  constexpr std::size_t kFew = 2000;
  constexpr double kCells = 500;
  if (series.look != Series::Look::kPoints || series.points.size() < kFew) return series.points;
  std::set<std::pair<int, int>> taken;
  std::vector<FigurePoint> kept;
  for (const FigurePoint& point : series.points) {
    const std::pair cell(static_cast<int>(kCells * scales.x.place(point.x)),
                         static_cast<int>(kCells * scales.y.place(point.y)));
    if (taken.insert(cell).second) kept.push_back(point);
  }
  return kept;
}

std::string data_of(const Figure& figure, const Scales& scales) {
  std::string text;
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    text += fmt::format("$data{} << EOD\n", i);
    std::size_t number = 0;
    for (const FigurePoint& point : distinguishable(figure.series[i], scales)) {
      // An empty line ends a line that is drawn.
      const bool gap = figure.series[i].look == Series::Look::kSegments && number > 0 && number % 2 == 0;
      text += fmt::format("{}{:.17g} {:.17g}\n", gap ? "\n" : "", point.x, point.y);
      ++number;
    }
    text += "EOD\n";
  }
  return text;
}

std::string axes_of(const Figure& figure, const Scales& scales, bool ascii) {
  std::string text;
  if (figure.x.logarithmic) text += "set logscale x\n";
  if (figure.y.logarithmic) text += "set logscale y\n";
  text += fmt::format("set xrange [{:.17g}:{:.17g}]\nset yrange [{:.17g}:{:.17g}]\n", scales.x.low, scales.x.high,
                      scales.y.low, scales.y.high);
  text +=
      fmt::format("set xtics ({})\nset ytics ({})\n", ticks_of(uncrowded(scales.x, ascii), ascii),
                  figure.y.categories.empty() ? ticks_of(scales.y.ticks, ascii) : category_ticks(figure.y.categories));
  // Characters cannot stand upright: in a terminal the title names what goes up.
  const bool names_y = figure.title.find(figure.y.label) != std::string::npos;
  const std::string title = ascii && !names_y ? figure.y.label + ": " + figure.title : figure.title;
  text += fmt::format("set title {}\nset xlabel {}\n", quoted(title), quoted(figure.x.label));
  if (!ascii) text += fmt::format("set ylabel {}\n", quoted(figure.y.label));
  return text;
}

std::string look_of(const Series& series, std::size_t number) {
  const char* colour = kColours[number % kColours.size()];
  const int dash = kDashes[number / kColours.size() % kDashes.size()];
  switch (series.look) {
    case Series::Look::kPointsAndLine:
      return fmt::format("with linespoints lc rgb '{}' lw 1.5 dt {} pt {} ps 1.3", colour, dash,
                         kShapes[number % kShapes.size()]);
    case Series::Look::kPoints:
      return fmt::format("with points lc rgb '{}' pt {} ps {}", colour, kShapes[number % kShapes.size()],
                         series.points.size() > kManyPoints ? 0.5 : 1.3);
    case Series::Look::kLine:
      return fmt::format("with lines lc rgb '{}' lw 2.2 dt {}", colour, kDashes[number % kDashes.size()]);
    case Series::Look::kSegments:
      return fmt::format("with lines lc rgb '{}' lw 7 dt 1", colour);
    case Series::Look::kBackdrop:
      return "with points lc rgb '#999999' pt 6 ps 1.4";
    case Series::Look::kBand:
      return "with lines lc rgb '#BBBBBB' lw 7 dt 1";
    case Series::Look::kLaw:
      break;
  }
  return "with lines lc rgb '#000000' lw 1.5 dt 2";
}

std::string character_look_of(const Series& series, std::size_t number) {
  switch (series.look) {
    case Series::Look::kPointsAndLine:
    case Series::Look::kPoints:
    case Series::Look::kLine:
    case Series::Look::kSegments:
      return fmt::format("with points pt '{}'", kCharacters[number % kCharacters.size()]);
    case Series::Look::kBackdrop:
      return "with points pt ','";
    case Series::Look::kBand:
      return "with points pt '_'";
    case Series::Look::kLaw:
      break;
  }
  return "with points pt '.'";
}

/// "plot …"; what lies below comes first. Looks are numbered among the series that have points of their own.
template <typename LookOf>
std::string plot_command(const Figure& figure, LookOf look) {
  std::string text;
  std::size_t number = 0;
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    const Series& series = figure.series[i];
    const bool own = series.look != Series::Look::kBand && series.look != Series::Look::kLaw &&
                     series.look != Series::Look::kBackdrop;
    if (!series.points.empty()) {
      text += fmt::format("{} $data{} using 1:2 {} title {}", text.empty() ? "plot" : ", \\\n    ", i,
                          look(series, number), quoted(series.name));
    }
    if (own) ++number;
  }
  return text + "\n";
}

std::string frame_of(const Figure& figure, const Scales& scales, const PlotArea& area) {
  std::string text = fmt::format(
      "set lmargin at screen {:.6f}\nset rmargin at screen {:.6f}\nset bmargin at screen {:.6f}\n"
      "set tmargin at screen {:.6f}\n",
      area.left / area.width, area.right / area.width, area.bottom / area.height, area.top / area.height);
  text += "set border 3 lw 1 lc rgb '#444444'\nset tics nomirror out\nset grid lc rgb '#E4E4E4' lw 1 dt 1\n";
  text += "set key outside right top vertical Left reverse samplen 2.5 spacing 1.25 noenhanced\n";
  for (const PlacedLabel& label : place_labels(figure.series, scales.x, scales.y, area)) {
    text += fmt::format("set label {} at screen {:.6f},{:.6f} left font ',10' tc rgb '#444444' front\n",
                        quoted(label.text), label.x, label.y);
  }
  return text;
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) continue;
    result += c == '\'' ? std::string("’") : std::string(1, c);
  }
  return result + "'";
}

std::string quoted(const std::filesystem::path& path) {
  std::string result = "'";
  // Two quotes stand for one, though not at the start, where an absolute path has its '/'.
  for (const char c : std::filesystem::absolute(path).string()) {
    result += c == '\'' ? std::string("''") : std::string(1, c);
  }
  return result + "'";
}

std::string picture_script(const Figure& figure, const std::filesystem::path& svg, const std::filesystem::path& png) {
  const PlotArea area;
  const Scales scales = scales_of(figure);
  const std::string common = data_of(figure, scales) + axes_of(figure, scales, false) + frame_of(figure, scales, area);
  const std::string plot = plot_command(figure, look_of);
  return fmt::format(
      "set encoding utf8\n"
      "set terminal svg size {0},{1} dynamic noenhanced font 'DejaVu Sans,12' background '#FFFFFF'\n"
      "set output {2}\n{4}{5}"
      "set terminal pngcairo size {6},{7} noenhanced font 'DejaVu Sans,12' fontscale 2 linewidth 2 pointscale 2\n"
      "set output {3}\n{5}"
      "unset output\n",
      area.width, area.height, quoted(svg), quoted(png), common, plot, 2 * area.width, 2 * area.height);
}

std::string terminal_script(const Figure& figure, std::size_t columns, std::size_t rows,
                            const std::filesystem::path& output) {
  const Scales scales = scales_of(figure);
  return fmt::format(
      "set encoding utf8\nset terminal dumb noenhanced mono size {},{}\nset output {}\n{}{}"
      "set key inside top right samplen 1\n{}unset output\n",
      columns, rows, quoted(output), data_of(figure, scales), axes_of(figure, scales, true),
      plot_command(figure, character_look_of));
}

}  // namespace ditscale::analysis
