#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "analysis/figures/drawing.hpp"
#include "analysis/figures/gnuplot_script.hpp"
#include "analysis/figures/looks.hpp"
#include "analysis/figures/placeable.hpp"
#include "analysis/tables/cell_text.hpp"

namespace ditscale::analysis {

namespace {

/// Width of a character of an axis mark, in parts of the axis: of 65 columns of a terminal.
constexpr double kTerminalCharacter = 1.0 / 65;
/// Blanks before a name in a terminal's legend.
constexpr std::size_t kLegendGap = 3;

std::string ticks_of(const std::vector<double>& ticks, bool ascii) {
  std::string text;
  for (const double tick : ticks) {
    text += fmt::format("{}{} {:.17g}", text.empty() ? "" : ", ", quoted(tick_text(tick, ascii)), tick);
  }
  return text;
}

/// As many names as there is room for.
std::string category_ticks(const std::vector<std::string>& names, std::size_t most) {
  const std::size_t apart = (names.size() + most - 1) / most;
  std::string text;
  for (std::size_t i = 0; i < names.size(); i += apart) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", quoted(names[i]), i);
  }
  return text;
}

/// Marks of a horizontal axis whose texts do not touch; those that would touch the one before are left out.
std::vector<double> uncrowded(const Scale& scale, double character, bool ascii) {
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

/// "x y" a line; of segments in a picture "x y dx dy", which are drawn as vectors: lines of their width would bleed at
/// the joints.
std::string data_of(const Figure& figure, const Scales& scales, bool ascii) {
  std::string text;
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    const Series& series = figure.series[i];
    text += fmt::format("$data{} << EOD\n", i);
    if (series.look == Series::Look::kSegments && !ascii) {
      for (std::size_t k = 0; k + 1 < series.points.size(); k += 2) {
        const FigurePoint& from = series.points[k];
        const FigurePoint& to = series.points[k + 1];
        text += fmt::format("{:.17g} {:.17g} {:.17g} {:.17g}\n", from.x, from.y, to.x - from.x, to.y - from.y);
      }
    } else {
      for (const FigurePoint& point : distinguishable(series, scales)) {
        text += fmt::format("{:.17g} {:.17g}\n", point.x, point.y);
      }
    }
    text += "EOD\n";
  }
  return text;
}

/// Ranges, and marks of the x axis, whose characters take `character` of it.
std::string ranges_of(const Figure& figure, const Scales& scales, double character, bool ascii) {
  std::string text;
  if (figure.x.logarithmic) text += "set logscale x\n";
  if (figure.y.logarithmic) text += "set logscale y\n";
  return text + fmt::format("set xrange [{:.17g}:{:.17g}]\nset yrange [{:.17g}:{:.17g}]\nset xtics ({})\n",
                            scales.x.low, scales.x.high, scales.y.low, scales.y.high,
                            ticks_of(uncrowded(scales.x, character, ascii), ascii));
}

/// Grey behind what lies beyond the data.
std::string shade_of(const Axis& axis) {
  if (!axis.data) return "";
  return fmt::format(
      "set object 1 rectangle from first {:.17g}, graph 0 to graph 1, graph 1 behind fc rgb '#EEEEEE' fs solid "
      "noborder\n",
      axis.data->second);
}

/// Lines of text as one string with line breaks.
std::string quoted_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : ".\"\\n\".") + quoted(line);
  return text.empty() ? "''" : text;
}

std::string picture_axes(const Figure& figure, const Scales& scales, const Layout& layout) {
  const PlotArea& area = layout.area;
  const auto most = static_cast<std::size_t>(std::max(1.0, (area.top - area.bottom) / 18));
  return ranges_of(figure, scales, kCharacter_px / (area.right - area.left), false) + shade_of(figure.x) +
         fmt::format(
             "set ytics ({})\nset title {} offset 0,-0.5\nset xlabel {}\nset ylabel {}\n",
             figure.y.categories.empty() ? ticks_of(scales.y.ticks, false) : category_ticks(layout.categories, most),
             quoted_lines(layout.title), quoted_lines(layout.x_label), quoted_lines(layout.y_label));
}

std::string terminal_axes(const Figure& figure, const Scales& scales) {
  std::vector<std::string> categories = figure.y.categories;
  for (std::string& name : categories) name = cut_to(name, 10);
  // Characters cannot stand upright: in a terminal the title names what goes up.
  const bool names_y = figure.title.find(figure.y.label) != std::string::npos;
  const std::string title = names_y ? figure.title : figure.y.label + ": " + figure.title;
  return ranges_of(figure, scales, kTerminalCharacter, true) +
         fmt::format("set ytics ({})\nset title {}\nset xlabel {}\n",
                     categories.empty() ? ticks_of(scales.y.ticks, true) : category_ticks(categories, 24),
                     quoted(title), quoted(figure.x.label));
}

/// "plot …"; what lies below comes first. Looks are numbered among the series that have points of their own.
template <typename LookOf>
std::string plot_command(const Figure& figure, const std::vector<std::string>& names, LookOf look) {
  std::string text;
  std::size_t number = 0;
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    const Series& series = figure.series[i];
    if (!series.points.empty()) {
      text += fmt::format("{} $data{} {} title {}", text.empty() ? "plot" : ", \\\n    ", i, look(series, number),
                          quoted(names[i]));
    }
    if (has_look_of_its_own(series)) ++number;
  }
  return text + "\n";
}

std::string frame_of(const Layout& layout) {
  const PlotArea& area = layout.area;
  std::string text = fmt::format(
      "set lmargin at screen {:.6f}\nset rmargin at screen {:.6f}\nset bmargin at screen {:.6f}\n"
      "set tmargin at screen {:.6f}\n",
      area.left / area.width, area.right / area.width, area.bottom / area.height, area.top / area.height);
  text += "set border 3 lw 1 lc rgb '#444444'\nset tics nomirror out\nset grid lc rgb '#E4E4E4' lw 1 dt 1\n";
  if (layout.legend_columns == 0) {
    text += "set key outside right top vertical Left reverse samplen 2.5 noenhanced\n";
  } else {
    text += fmt::format(
        "set key at screen 0.5,0.01 center bottom horizontal maxcols {} Left reverse samplen 2.5 noenhanced\n",
        layout.legend_columns);
  }
  return text;
}

const char* word_of(PlacedLabel::Anchor anchor) {
  switch (anchor) {
    case PlacedLabel::Anchor::kLeft:
      return "left";
    case PlacedLabel::Anchor::kRight:
      return "right";
    case PlacedLabel::Anchor::kCentre:
      break;
  }
  return "center";
}

std::string labels_of(const std::vector<PlacedLabel>& labels, double font) {
  std::string text = "unset label\n";
  for (const PlacedLabel& label : labels) {
    text += fmt::format("set label {} at screen {:.6f},{:.6f} {} font ',{:.3g}' tc rgb '#444444' front\n",
                        quoted(label.text), label.x, label.y, word_of(label.anchor), font);
  }
  return text;
}

}  // namespace

Drawing drawing_of_series(const Figure& whole, const PictureSize& size) {
  const Figure figure = placeable(whole);
  const Scales scales = scales_of(figure);
  std::vector<std::string> y_ticks;
  for (const double tick : scales.y.ticks) y_ticks.push_back(tick_text(tick, false));
  const Layout layout = layout_of(figure, y_ticks, size);
  const std::vector<PlacedLabel> labels = place_labels(figure.series, scales.x, scales.y, layout.area);
  return {layout.area.width, layout.area.height,
          data_of(figure, scales, false) + picture_axes(figure, scales, layout) + frame_of(layout),
          [labels](double font_scale) { return labels_of(labels, kLabelFont * font_scale); },
          plot_command(figure, layout.names, look_of)};
}

std::string terminal_script(const Figure& whole, std::size_t columns, std::size_t rows,
                            const std::filesystem::path& output) {
  const Figure figure = placeable(whole);
  const Scales scales = scales_of(figure);
  const auto look = [](const Series& series, std::size_t number) {
    return fmt::format("with points pt '{}'", character_of(series, number));
  };
  return fmt::format(
      "set encoding utf8\nset terminal dumb noenhanced mono size {},{}\nset output {}\n{}{}unset key\n{}unset output\n",
      columns, rows, quoted(output), data_of(figure, scales, true), terminal_axes(figure, scales),
      plot_command(figure, std::vector<std::string>(figure.series.size()), look));
}

std::vector<std::string> terminal_legend(const Figure& figure, std::size_t columns) {
  std::vector<std::string> entries;
  std::size_t widest = 0;
  std::size_t number = 0;
  for (const Series& series : figure.series) {
    const char character = character_of(series, number);
    if (has_look_of_its_own(series)) ++number;
    if (series.name.empty() || series.points.empty()) continue;
    entries.push_back(cut_to(fmt::format("{} {}", character, series.name), columns - 2 * kLegendGap));
    widest = std::max(widest, width_of(entries.back()));
  }
  const std::size_t per_line = std::max<std::size_t>(1, columns / (widest + kLegendGap));
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i % per_line == 0) lines.emplace_back();
    const bool last = (i + 1) % per_line == 0 || i + 1 == entries.size();
    lines.back() += std::string(kLegendGap, ' ') + entries[i];
    if (!last) lines.back() += std::string(widest - width_of(entries[i]), ' ');
  }
  return lines;
}

}  // namespace ditscale::analysis
