#include "analysis/queries/tuning.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sweeps/spec/json_path.hpp"

namespace ditscale::analysis {

namespace {

/// Scores of one model by the value of a setting; the best where a value was tried more than once.
using ByValue = std::map<double, double>;

std::map<std::string, ByValue> tried(const std::vector<ScorePoint>& points, const std::string& path) {
  std::map<std::string, ByValue> by_model;
  for (const ScorePoint& point : points) {
    const common::Json value = sweeps::value_at(point.trial->spec(), path);
    if (!value.is_number()) continue;
    ByValue& scores = by_model[point.trial->model];
    const auto [place, added] = scores.emplace(value.get<double>(), point.value);
    if (!added) place->second = std::min(place->second, point.value);
  }
  return by_model;
}

bool best_at_edge(const ByValue& scores) {
  const auto best =
      std::min_element(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == scores.begin() || best == std::prev(scores.end());
}

void warn(std::vector<std::string>& warnings, const std::vector<ScorePoint>& points, const std::string& path) {
  const auto by_model = tried(points, path);
  std::set<double> values;
  std::vector<std::string> at_edge;
  for (const auto& [model, scores] : by_model) {
    for (const auto& [value, unused] : scores) values.insert(value);
    if (scores.size() > 1 && best_at_edge(scores)) at_edge.push_back(model);
  }
  if (by_model.size() > 1 && values.size() == 1) {
    warnings.push_back(
        fmt::format("all sizes were trained with {} = {}: where the best value changes with size, so does the exponent",
                    path, *values.begin()));
  }
  if (!at_edge.empty()) {
    warnings.push_back(fmt::format("the best {} lies at the edge of those tried for {}: try values beyond it", path,
                                   fmt::join(at_edge, ", ")));
  }
}

}  // namespace

std::vector<std::string> tuning_warnings(const std::vector<ScorePoint>& final_points) {
  std::vector<std::string> warnings;
  warn(warnings, final_points, "train.lr");
  return warnings;
}

std::string unfinished_warning(const ScorePoints& points) {
  return fmt::format(
      "{} of {} points stand in the middle of their schedule (fraction below 1): under a learning rate that decays "
      "later they would not be endpoints",
      points.all.size() - points.final.size(), points.all.size());
}

}  // namespace ditscale::analysis
