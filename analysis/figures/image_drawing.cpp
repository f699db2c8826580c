#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/figures/drawing.hpp"
#include "analysis/figures/gnuplot_script.hpp"
#include "analysis/tables/cell_text.hpp"

namespace ditscale::analysis {

namespace {

constexpr double kGap_px = 8;
constexpr double kCaption_px = 16;
constexpr double kTitle_px = 24;
/// A picture narrower than this shows too little of its samples.
constexpr double kNarrowest_px = 110;
constexpr double kCaptionCharacter_px = 6.6;

/// Cells of equal size; the canvas is as high as they need.
struct Grid {
  std::size_t columns = 1;
  double cell_width = 0;
  double cell_height = 0;
  double height = 0;

  [[nodiscard]] double left_of(std::size_t i) const {
    return kGap_px + static_cast<double>(i % columns) * (cell_width + kGap_px);
  }
  [[nodiscard]] double bottom_of(std::size_t i) const {
    return height - kTitle_px - cell_height - static_cast<double>(i / columns) * (cell_height + kCaption_px + kGap_px);
  }
};

Grid grid_for(const std::vector<FigureImage>& images, double width) {
  double ratio = 0;  // of the tallest
  for (const FigureImage& image : images)
    ratio = std::max(ratio, static_cast<double>(image.height_px) / image.width_px);
  Grid grid;
  const auto fitting = static_cast<std::size_t>((width - kGap_px) / (kNarrowest_px + kGap_px));
  const auto square = static_cast<std::size_t>(std::ceil(std::sqrt(1.6 * ratio * static_cast<double>(images.size()))));
  grid.columns = std::clamp<std::size_t>(square, 1, std::min(fitting, images.size()));
  grid.cell_width = (width - kGap_px) / static_cast<double>(grid.columns) - kGap_px;
  grid.cell_height = ratio * grid.cell_width;
  const std::size_t rows = (images.size() + grid.columns - 1) / grid.columns;
  grid.height = kTitle_px + static_cast<double>(rows) * (grid.cell_height + kCaption_px + kGap_px);
  return grid;
}

}  // namespace

Drawing drawing_of_images(const Figure& figure, const PictureSize& size) {
  const Grid grid = grid_for(figure.images, size.width);
  std::string plot;
  for (std::size_t i = 0; i < figure.images.size(); ++i) {
    const double pixel = grid.cell_width / figure.images[i].width_px;
    plot += fmt::format("{} {} binary filetype=png origin=({:.6f},{:.6f}) dx={:.9f} dy={:.9f} with rgbimage notitle",
                        plot.empty() ? "plot" : ", \\\n    ", quoted(figure.images[i].file),
                        grid.left_of(i) + pixel / 2, grid.bottom_of(i) + pixel / 2, pixel, pixel);
  }
  const auto texts = [grid, &figure, width = size.width](double font_unit) {
    const auto text_at = [&](const std::string& text, double room, double font, double x, double y) {
      const auto most = static_cast<std::size_t>(room / kCaptionCharacter_px * kLabelFont / font);
      return fmt::format("set label {} at first {:.3f},{:.3f} left font ',{:.3g}' front\n", quoted(cut_to(text, most)),
                         x, y, font * font_unit);
    };
    std::string all =
        "unset label\n" + text_at(figure.title, width - 2 * kGap_px, kFont, kGap_px, grid.height - kTitle_px / 2);
    for (std::size_t i = 0; i < figure.images.size(); ++i) {
      all += text_at(figure.images[i].caption, grid.cell_width, kLabelFont, grid.left_of(i),
                     grid.bottom_of(i) - kCaption_px / 2);
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
