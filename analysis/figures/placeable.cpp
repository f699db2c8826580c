#include "analysis/figures/placeable.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ditscale::analysis {

namespace {

bool has_place(const Axis& axis, double at) { return !axis.logarithmic || (at > 0 && std::isfinite(at)); }

}  // namespace

Figure placeable(Figure figure) {
  std::size_t left_out = 0;
  for (Series& series : figure.series) {
    left_out += std::erase_if(series.points, [&](const FigurePoint& point) {
      return !has_place(figure.x, point.x) || !has_place(figure.y, point.y);
    });
  }
  if (left_out > 0) {
    figure.note += fmt::format("{}Points left out, for they have no place on a logarithmic axis: {}.",
                               figure.note.empty() ? "" : " ", left_out);
  }
  return figure;
}

}  // namespace ditscale::analysis
