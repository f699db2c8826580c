#include "analysis/figures/layout.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/tables/cell_text.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

constexpr double kLine_px = 18;
constexpr double kLegendLine_px = 14.5;
/// Mark and line of a series beside its name, with the gaps around.
constexpr double kLegendSample_px = 48;
/// Marks of an axis with the gap to its label.
constexpr double kTicks_px = 30;
constexpr double kBorder_px = 12;
/// A legend stands to the right where it takes no more of the width.
constexpr double kLegendShare = 0.33;
constexpr double kNarrowCanvas_px = 500;
/// Names of categories may take so much of the width.
constexpr double kCategoryShare = 0.38;
constexpr std::size_t kMostLines = 3;

struct NamedSize {
  std::string_view name;
  PictureSize size;
};
constexpr std::array<NamedSize, 3> kSizes{{{"page", {723, 460}}, {"column", {361, 320}}, {"slide", {560, 315}}}};

std::size_t characters_in(double width_px) {
  return static_cast<std::size_t>(std::max(4.0, std::floor(width_px / kCharacter_px)));
}

std::size_t longest_of(const std::vector<std::string>& texts) {
  std::size_t longest = 0;
  for (const std::string& text : texts) longest = std::max(longest, width_of(text));
  return longest;
}

/// Leaves out the middle: hosts differ in number and device, and trials in their last values, which stand at the end.
std::string without_middle(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  const std::string head = cut_to(text, (width + 1) / 2);
  std::size_t tail = text.size();
  for (std::size_t kept = 0; kept + width_of(head) < width; ++kept) {
    do --tail;
    while ((static_cast<unsigned char>(text[tail]) & 0xC0) == 0x80);
  }
  return head + text.substr(tail);
}

}  // namespace

PictureSize picture_size_from(const std::string& name) {
  std::vector<std::string_view> names;
  for (const NamedSize& one : kSizes) {
    if (one.name == name) return one.size;
    names.push_back(one.name);
  }
  throw common::UsageError(fmt::format("--size {}: not known; allowed: {}", name, fmt::join(names, ", ")));
}

std::vector<std::string> wrapped(const std::string& text, std::size_t width, std::size_t most) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string rest = text.substr(at);
    if (width_of(rest) <= width || lines.size() + 1 == most) {
      lines.push_back(cut_to(rest, width));
      break;
    }
    // The last space within the width; a word that is longer than a line is cut.
    std::size_t end = 0;
    for (std::size_t space = rest.find(' '); space != std::string::npos; space = rest.find(' ', space + 1)) {
      if (width_of(rest.substr(0, space)) > width) break;
      end = space;
    }
    if (end == 0) end = std::min(rest.find(' '), rest.size());
    lines.push_back(cut_to(rest.substr(0, end), width));
    at += end + 1;
  }
  return lines;
}

Layout layout_of(const Figure& figure, const std::vector<std::string>& y_ticks, const PictureSize& size) {
  Layout layout;
  PlotArea& area = layout.area;
  area.width = size.width;
  for (const Series& series : figure.series) layout.names.push_back(series.name);
  const double legend_width = kLegendSample_px + kCharacter_px * static_cast<double>(longest_of(layout.names));
  const auto named = static_cast<double>(
      std::count_if(layout.names.begin(), layout.names.end(), [](const std::string& name) { return !name.empty(); }));
  const bool below = size.width < kNarrowCanvas_px || legend_width > kLegendShare * size.width ||
                     kLegendLine_px * named > kLegendShare * 2 * size.height;

  layout.categories = figure.y.categories;
  for (std::string& name : layout.categories) name = without_middle(name, characters_in(kCategoryShare * size.width));
  const std::size_t marks = longest_of(layout.categories.empty() ? y_ticks : layout.categories);
  const double plain_height = size.height - 2 * kBorder_px - kTicks_px - 3 * kLine_px;
  layout.y_label = wrapped(figure.y.label, characters_in(plain_height), 2);
  area.left = kBorder_px + (kLine_px + 2) * static_cast<double>(layout.y_label.size()) + 14 +
              kCharacter_px * static_cast<double>(marks);
  area.right = below ? size.width - 1.5 * kBorder_px : size.width - legend_width;

  // Title and label are centred on the axis, and may reach as far to the left as to the right.
  const double middle = (area.left + area.right) / 2;
  const std::size_t widest = characters_in(2 * (std::min(middle, size.width - middle) - kBorder_px / 2));
  layout.title = wrapped(figure.title, widest, kMostLines);
  layout.x_label = wrapped(figure.x.label, widest, kMostLines);
  area.bottom = kBorder_px + kTicks_px + kLine_px * static_cast<double>(layout.x_label.size());
  area.height = size.height;
  if (below) {
    const double room = size.width - 2 * kBorder_px;
    layout.legend_columns = static_cast<std::size_t>(std::max(1.0, std::floor(room / legend_width)));
    const std::size_t most = characters_in(room / static_cast<double>(layout.legend_columns) - kLegendSample_px);
    for (std::string& name : layout.names) name = without_middle(name, most);
    const double rows = std::ceil(named / static_cast<double>(layout.legend_columns));
    const double legend_height = kLegendLine_px * rows;
    area.bottom += legend_height + kBorder_px;
    area.height += legend_height;
  }
  area.top = area.height - kBorder_px - kLine_px * static_cast<double>(layout.title.size());
  return layout;
}

}  // namespace ditscale::analysis
