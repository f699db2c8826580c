#include "analysis/figures/lower_envelope.hpp"

#include <algorithm>

namespace ditscale::analysis {

std::vector<FigurePoint> upper_envelope(std::vector<FigurePoint> points) {
  for (FigurePoint& point : points) point.y = -point.y;
  std::vector<FigurePoint> envelope = lower_envelope(std::move(points));
  for (FigurePoint& point : envelope) point.y = -point.y;
  return envelope;
}

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
