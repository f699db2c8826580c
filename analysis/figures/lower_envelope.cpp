#include "analysis/figures/lower_envelope.hpp"

#include <algorithm>

namespace ditscale::analysis {

std::vector<FigurePoint> lower_envelope(std::vector<FigurePoint> points) {
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.x < b.x || (a.x == b.x && a.y < b.y); });
  std::vector<FigurePoint> envelope;
  for (const FigurePoint& point : points) {
    if (envelope.empty() || point.y < envelope.back().y) envelope.push_back({point.x, point.y, ""});
  }
  return envelope;
}

}  // namespace ditscale::analysis
