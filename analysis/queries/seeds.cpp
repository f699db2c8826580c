#include "analysis/queries/seeds.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "analysis/statistics/summary.hpp"

namespace ditscale::analysis {

namespace {

std::string label_of(const StudyTrial& trial) {
  std::string label = trial.model;
  for (const auto& [path, value] : trial.axes().items()) {
    if (path != "seed" && !path.starts_with("model")) label += " " + path + "=" + value.dump();
  }
  return label;
}

SeedGroup group_of(const std::string& label, const std::vector<double>& values) {
  SeedGroup group{label, values.size(), *mean(values), *std::min_element(values.begin(), values.end()), 0};
  for (const double value : values) group.deviation += (value - group.mean) * (value - group.mean);
  group.deviation = std::sqrt(group.deviation / static_cast<double>(values.size() - 1));
  return group;
}

}  // namespace

std::vector<SeedGroup> seed_groups(const std::vector<ScorePoint>& final_points) {
  const common::Json::json_pointer seed("/seed");
  std::unordered_map<std::string, std::size_t> places;
  std::vector<std::pair<std::string, std::vector<double>>> alike;
  for (const ScorePoint& point : final_points) {
    const auto [place, added] = places.emplace(configuration_without(*point.trial, seed), alike.size());
    if (added) alike.emplace_back(label_of(*point.trial), std::vector<double>{});
    alike[place->second].second.push_back(point.value);
  }
  std::vector<SeedGroup> groups;
  for (const auto& [label, values] : alike) {
    if (values.size() > 1) groups.push_back(group_of(label, values));
  }
  return groups;
}

Table seed_table(const std::vector<SeedGroup>& groups, const std::string& metric) {
  using Kind = Column::Kind;
  Table table;
  table.columns = {{"configuration", Kind::kText, 4, true},
                   {"seeds", Kind::kInteger},
                   {"mean " + metric, Kind::kNumber},
                   {"lowest", Kind::kNumber},
                   {"standard deviation", Kind::kNumber, 3}};
  for (const SeedGroup& group : groups) {
    table.rows.push_back({group.label, group.num, group.mean, group.lowest, group.deviation});
  }
  return table;
}

}  // namespace ditscale::analysis
