#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/figures/drawing.hpp"
#include "analysis/figures/gnuplot_script.hpp"

namespace ditscale::analysis {

namespace {

constexpr double kGap_px = 8;
constexpr double kCaptionLine_px = 12;
constexpr std::size_t kMostCaptionLines = 4;
constexpr double kTitleLine_px = 16;
/// A picture narrower than this shows too little of its samples.
constexpr double kNarrowest_px = 110;
constexpr double kCaptionCharacter_px = 6.6;

/// Cells of equal size; the canvas is as high as they need.
struct Grid {
  std::size_t columns = 1;
  double cell_width = 0;
  double cell_height = 0;
  std::vector<std::string> title;
  /// Of the captions below a row, with the gap above.
  double caption_height = 0;
  double height = 0;

  [[nodiscard]] double title_height() const { return kGap_px + kTitleLine_px * static_cast<double>(title.size()); }
  [[nodiscard]] double left_of(std::size_t i) const {
    return kGap_px + static_cast<double>(i % columns) * (cell_width + kGap_px);
  }
  [[nodiscard]] double bottom_of(std::size_t i) const {
    return height - title_height() - cell_height -
           static_cast<double>(i / columns) * (cell_height + caption_height + kGap_px);
  }
};

std::vector<std::string> caption_lines(const FigureImage& image, double width) {
  return wrapped(image.caption, static_cast<std::size_t>(width / kCaptionCharacter_px), kMostCaptionLines);
}

Grid grid_for(const Figure& figure, double width) {
  const std::vector<FigureImage>& images = figure.images;
  double ratio = 0;  // of the tallest
  for (const FigureImage& image : images)
    ratio = std::max(ratio, static_cast<double>(image.height_px) / image.width_px);
  Grid grid;
  grid.title = wrapped(figure.title, static_cast<std::size_t>((width - 2 * kGap_px) / kCharacter_px), 2);
  const auto fitting = static_cast<std::size_t>((width - kGap_px) / (kNarrowest_px + kGap_px));
  const auto square = static_cast<std::size_t>(std::ceil(std::sqrt(1.6 * ratio * static_cast<double>(images.size()))));
  grid.columns = std::clamp<std::size_t>(square, 1, std::min(fitting, images.size()));
  grid.cell_width = (width - kGap_px) / static_cast<double>(grid.columns) - kGap_px;
  grid.cell_height = ratio * grid.cell_width;
  for (const FigureImage& image : images) {
    const auto lines = static_cast<double>(caption_lines(image, grid.cell_width).size());
    grid.caption_height = std::max(grid.caption_height, 4 + kCaptionLine_px * lines);
  }
  const std::size_t rows = (images.size() + grid.columns - 1) / grid.columns;
  grid.height = grid.title_height() + static_cast<double>(rows) * (grid.cell_height + grid.caption_height + kGap_px);
  return grid;
}

}  // namespace

Drawing drawing_of_images(const Figure& figure, const PictureSize& size) {
  const Grid grid = grid_for(figure, size.width);
  std::string plot;
  for (std::size_t i = 0; i < figure.images.size(); ++i) {
    const double pixel = grid.cell_width / figure.images[i].width_px;
    plot += fmt::format("{} {} binary filetype=png origin=({:.6f},{:.6f}) dx={:.9f} dy={:.9f} with rgbimage notitle",
                        plot.empty() ? "plot" : ", \\\n    ", quoted(figure.images[i].file),
                        grid.left_of(i) + pixel / 2, grid.bottom_of(i) + pixel / 2, pixel, pixel);
  }
  const auto texts = [grid, &figure](double font_unit) {
    const auto text_at = [&](const std::string& text, double font, double x, double y) {
      return fmt::format("set label {} at first {:.3f},{:.3f} left font ',{:.3g}' front\n", quoted(text), x, y,
                         font * font_unit);
    };
    std::string all = "unset label\n";
    double title_y = grid.height - 12;
    for (const std::string& line : grid.title) {
      all += text_at(line, kFont, kGap_px, title_y);
      title_y -= kTitleLine_px;
    }
    for (std::size_t i = 0; i < figure.images.size(); ++i) {
      double y = grid.bottom_of(i) - 8;
      for (const std::string& line : caption_lines(figure.images[i], grid.cell_width)) {
        all += text_at(line, kLabelFont, grid.left_of(i), y);
        y -= kCaptionLine_px;
      }
    }
    return all;
  };
  return {size.width, grid.height,
          fmt::format("unset key\nunset border\nunset tics\nset lmargin at screen 0\nset rmargin at screen 1\n"
                      "set bmargin at screen 0\nset tmargin at screen 1\nset xrange [0:{}]\nset yrange [0:{}]\n",
                      size.width, grid.height),
          texts, plot + "\n"};
}

}  // namespace ditscale::analysis
