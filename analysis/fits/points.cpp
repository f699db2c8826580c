#include "analysis/fits/points.hpp"

#include <algorithm>

namespace ditscale::analysis {

std::vector<double> xs_of(std::span<const FitPoint> points) {
  std::vector<double> xs;
  for (const FitPoint& point : points) xs.push_back(point.x);
  return xs;
}

std::vector<double> ys_of(std::span<const FitPoint> points) {
  std::vector<double> ys;
  for (const FitPoint& point : points) ys.push_back(point.y);
  return ys;
}

std::vector<std::string> runs_of(std::span<const FitPoint> points) {
  std::vector<std::string> runs;
  for (const FitPoint& point : points) {
    if (std::find(runs.begin(), runs.end(), point.run) == runs.end()) runs.push_back(point.run);
  }
  return runs;
}

}  // namespace ditscale::analysis
