#include "analysis/queries/tuning.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sweeps/spec/json_path.hpp"

namespace ditscale::analysis {

namespace {

/// Scores of one model by the value of a setting; the best where a value was tried more than once.
using ByValue = std::map<double, double>;

/// With two values the best is always at an edge.
constexpr std::size_t kFewestWithMiddle = 3;
constexpr std::size_t kMostNamed = 4;

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

/// A value with which the training diverged was tried, and is worse than any other.
void add_diverged(std::map<std::string, ByValue>& by_model, const std::vector<const StudyTrial*>& diverged,
                  const std::string& path, bool higher) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const StudyTrial* trial : diverged) {
    const auto scores = by_model.find(trial->model);
    const common::Json value = sweeps::value_at(trial->spec(), path);
    if (scores == by_model.end() || !value.is_number()) continue;
    scores->second.emplace(value.get<double>(), higher ? -kInfinity : kInfinity);
  }
}

/// "a, b, c, d and 12 more"
std::string some_of(std::vector<std::string> names) {
  const std::size_t more = names.size() - std::min(names.size(), kMostNamed);
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
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

void warn_of_edge(std::vector<std::string>& warnings, const std::vector<ScorePoint>& points,
                  const std::vector<const StudyTrial*>& diverged, const std::string& path, bool higher) {
  auto by_model = tried(points, path, higher);
  add_diverged(by_model, diverged, path, higher);
  std::vector<std::string> at_edge;
  for (const auto& [model, scores] : by_model) {
    if (scores.size() >= kFewestWithMiddle && best_at_edge(scores, higher)) at_edge.push_back(model);
  }
  if (at_edge.empty()) return;
  warnings.push_back(
      fmt::format("the best {} lies at the edge of those tried for {}: try values beyond it", path, some_of(at_edge)));
}

/// What makes a model's size.
constexpr std::array<const char*, 6> kSizePaths{"model.depth", "model.width",     "model.heads",
                                                "model.patch", "model.mlp_ratio", "data.image_size"};

/// Or are repeats.
bool defines_x(const std::string& path) {
  return path == "seed" || path == "model" || path == "train.steps" ||
         std::find(kSizePaths.begin(), kSizePaths.end(), path) != kSizePaths.end();
}

}  // namespace

std::vector<std::string> tuning_warnings(const std::vector<ScorePoint>& final_points, const std::string& metric,
                                         const std::vector<const StudyTrial*>& diverged) {
  std::vector<std::string> warnings;
  warn_of_one_value(warnings, final_points, "train.lr");
  for (const char* path : {"train.lr", "train.global_batch"}) {
    warn_of_edge(warnings, final_points, diverged, path, higher_is_better(metric));
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

std::vector<std::string> mixed_warnings(const std::vector<ScorePoint>& final_points) {
  // By model and images seen: the values of each axis.
  std::map<std::string, std::map<std::string, std::set<common::Json>>> alike;
  for (const ScorePoint& point : final_points) {
    const common::Json& spec = point.trial->spec();
    std::string size = std::to_string(point.step * point.trial->global_batch);
    for (const char* path : kSizePaths) size += " " + sweeps::value_at(spec, path).dump();
    for (const auto& [path, value] : point.trial->axes().items()) {
      if (!defines_x(path)) alike[size][path].insert(value);
    }
  }
  std::set<std::string> mixed;
  for (const auto& [unused, values_by_path] : alike) {
    for (const auto& [path, values] : values_by_path) {
      if (values.size() > 1) mixed.insert(path);
    }
  }
  if (mixed.empty()) return {};
  return {fmt::format(
      "trials of one size and length differ in {}: the law goes through the middle of them and takes what that changes "
      "for noise; --where chooses some of them",
      fmt::join(mixed, ", "))};
}

std::vector<std::string> foreign_warnings(const std::vector<ScorePoint>& final_points) {
  std::vector<std::string> foreign;
  for (const ScorePoint& point : final_points) {
    if (!point.trial->in_sweep) foreign.push_back(point.trial->row.trial.label);
  }
  if (foreign.empty()) return {};
  return {fmt::format(
      "{} of the trials are not in the sweep file any more ({}); --where \"in_sweep = true\" leaves them out",
      foreign.size(), some_of(foreign))};
}

std::string shared_warning(std::size_t num_shared) {
  return fmt::format(
      "trainings that differ in their length alone are equal until the shorter ends: {} points were left out, for they "
      "repeat another training's",
      num_shared);
}

std::string unfinished_warning(const ScorePoints& points) {
  return fmt::format(
      "{} of {} points stand in the middle of their schedule (fraction below 1): under a learning rate that decays "
      "later they would not be endpoints",
      points.all.size() - points.final.size(), points.all.size());
}

}  // namespace ditscale::analysis
