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

std::map<std::string, ByValue> tried(const std::vector<ScorePoint>& points, const std::string& path, bool higher) {
  std::map<std::string, ByValue> by_model;
  for (const ScorePoint& point : points) {
    const common::Json value = sweeps::value_at(point.trial->spec(), path);
    if (!value.is_number()) continue;
    ByValue& scores = by_model[point.trial->model];
    const auto [place, added] = scores.emplace(value.get<double>(), point.value);
    if (!added) place->second = higher ? std::max(place->second, point.value) : std::min(place->second, point.value);
  }
  return by_model;
}

bool best_at_edge(const ByValue& scores, bool higher) {
  const auto best = std::min_element(scores.begin(), scores.end(), [higher](const auto& a, const auto& b) {
    return higher ? a.second > b.second : a.second < b.second;
  });
  return best == scores.begin() || best == std::prev(scores.end());
}

void warn_of_one_value(std::vector<std::string>& warnings, const std::vector<ScorePoint>& points,
                       const std::string& path) {
  const auto by_model = tried(points, path, false);
  std::set<double> values;
  for (const auto& [unused, scores] : by_model) {
    for (const auto& [value, score] : scores) values.insert(value);
  }
  if (by_model.size() < 2 || values.size() != 1) return;
  warnings.push_back(
      fmt::format("all sizes were trained with {} = {}: where the best value changes with size, so does the exponent",
                  path, *values.begin()));
}

void warn_of_edge(std::vector<std::string>& warnings, const std::vector<ScorePoint>& points, const std::string& path,
                  bool higher) {
  std::vector<std::string> at_edge;
  for (const auto& [model, scores] : tried(points, path, higher)) {
    if (scores.size() > 1 && best_at_edge(scores, higher)) at_edge.push_back(model);
  }
  if (at_edge.empty()) return;
  warnings.push_back(fmt::format("the best {} lies at the edge of those tried for {}: try values beyond it", path,
                                 fmt::join(at_edge, ", ")));
}

}  // namespace

std::vector<std::string> tuning_warnings(const std::vector<ScorePoint>& final_points, const std::string& metric) {
  std::vector<std::string> warnings;
  warn_of_one_value(warnings, final_points, "train.lr");
  for (const char* path : {"train.lr", "train.global_batch"}) {
    warn_of_edge(warnings, final_points, path, higher_is_better(metric));
  }
  return warnings;
}

std::vector<std::string> length_warnings(const std::vector<ScorePoint>& final_points, XQuantity x) {
  if (x == XQuantity::kTrainingFlops || same_length(final_points)) return {};
  return {fmt::format(
      "the trainings saw different numbers of images: over {} alone, what they owe to their length is taken for what "
      "they owe to their size; training_flops takes both in",
      to_name(x))};
}

std::string unfinished_warning(const ScorePoints& points) {
  return fmt::format(
      "{} of {} points stand in the middle of their schedule (fraction below 1): under a learning rate that decays "
      "later they would not be endpoints",
      points.all.size() - points.final.size(), points.all.size());
}

}  // namespace ditscale::analysis
