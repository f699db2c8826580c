#include "analysis/figures/gnuplot_script.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/figures/drawing.hpp"

namespace ditscale::analysis {

namespace {

/// A PNG is about this wide, a whole multiple of the canvas.
constexpr double kPictureWidth_px = 1920;
/// gnuplot's cairo terminals take a font of 12 for one of 16 pixels; SVG does not.
constexpr double kPointScale = 3.0 / 4;
constexpr double kPdfPoints = 8.0 / 12;
/// Lines of an SVG's legend lie farther apart than the others'.
constexpr double kSvgKeySpacing = 0.78;
constexpr double kPdfLineWidth = 0.8;
constexpr double kPdfPointScale = 0.6;

/// The picture on three terminals, whose fonts differ in unit.
std::string on_all_terminals(const Drawing& drawing, const PictureFiles& files) {
  const double pixels = std::max(1.0, std::round(kPictureWidth_px / drawing.width));
  return fmt::format(
             "set encoding utf8\n"
             "set terminal svg size {},{} dynamic noenhanced font 'DejaVu Sans,{}' background '#FFFFFF'\n"
             "set output {}\n{}{}set key spacing {}\n{}set key spacing 1\n",
             drawing.width, drawing.height, kFont, quoted(files.svg), drawing.common, drawing.texts(1), kSvgKeySpacing,
             drawing.plot) +
         fmt::format(
             "set terminal pngcairo size {0:.0f},{1:.0f} noenhanced font 'DejaVu Sans,{2}' fontscale {3} linewidth {4} "
             "pointscale {4}\n"
             "set output {5}\n{6}",
             pixels * drawing.width, pixels * drawing.height, kFont, pixels * kPointScale, pixels, quoted(files.png),
             drawing.plot) +
         fmt::format(
             "set terminal pdfcairo size {:.4f}cm,{:.4f}cm noenhanced font 'DejaVu Sans,{}' fontscale {} linewidth {} "
             "pointscale {}\n"
             "set output {}\n{}{}unset output\n",
             0.1 * kPixel_mm * drawing.width, 0.1 * kPixel_mm * drawing.height, kFont * kPdfPoints, kPointScale,
             kPdfLineWidth, kPdfPointScale, quoted(files.pdf), drawing.texts(kPdfPoints), drawing.plot);
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

std::string picture_script(const Figure& figure, const PictureSize& size, const PictureFiles& files) {
  return on_all_terminals(figure.images.empty() ? drawing_of_series(figure, size) : drawing_of_images(figure, size),
                          files);
}

}  // namespace ditscale::analysis
