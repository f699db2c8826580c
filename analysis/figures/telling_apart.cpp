#include "analysis/figures/telling_apart.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/figures/trial_names.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

constexpr const char* kModel = "model";

bool has_parts(const Json& value) {
  return value.is_object() || (value.is_array() && std::any_of(value.begin(), value.end(),
                                                               [](const Json& part) { return part.is_object(); }));
}

/// Values by their paths.
using Leaves = std::map<std::string, Json>;

void add_leaves(const Json& value, const std::string& path, Leaves& leaves) {
  if (!has_parts(value)) {
    leaves[path] = value;
    return;
  }
  for (const auto& [key, part] : value.items()) {
    const std::string step = value.is_array() ? "[" + key + "]" : (path.empty() ? "" : ".") + key;
    add_leaves(part, path + step, leaves);
  }
}

Leaves leaves_of(const Json& json) {
  Leaves leaves;
  if (json.is_object()) add_leaves(json, "", leaves);
  return leaves;
}

Json value_at(const Leaves& leaves, const std::string& path) {
  const auto found = leaves.find(path);
  return found == leaves.end() ? Json() : found->second;
}

/// What a trial's axes set, else what its configuration says.
Json value_of(const StudyTrial& trial, const Leaves& axes, const std::string& path) {
  const auto axis = axes.find(path);
  return axis == axes.end() ? value_at(leaves_of(trial.spec()), path) : axis->second;
}

/// How far back a path is looked at: seeds after the rest, and how trials are scored at last.
int rank_of(const std::string& path) { return path.starts_with("evaluate") ? 2 : path == "seed" ? 1 : 0; }

std::vector<std::string> in_order(const std::set<std::string>& paths) {
  std::vector<std::string> list(paths.begin(), paths.end());
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
  return list;
}

/// What `json_of` gives of each trial, and the paths that any of them has, in the order in which to look at them.
struct AllLeaves {
  std::vector<Leaves> by_trial;
  std::vector<std::string> paths;
};

AllLeaves all_leaves(const std::vector<const StudyTrial*>& trials, const Json& (StudyTrial::*json_of)() const) {
  AllLeaves all;
  std::set<std::string> paths;
  for (const StudyTrial* trial : trials) {
    all.by_trial.push_back(leaves_of((trial->*json_of)()));
    for (const auto& [path, unused] : all.by_trial.back()) paths.insert(path);
  }
  all.paths = in_order(paths);
  return all;
}

std::string end_of(const std::string& path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

TellingApart::TellingApart(std::vector<const StudyTrial*> trials, std::vector<std::size_t> groups)
    : trials_(std::move(trials)), groups_(std::move(groups)) {
  for (const std::size_t group : groups_) {
    sizes_.resize(std::max(sizes_.size(), group + 1));
    ++sizes_[group];
  }
}

bool TellingApart::is_alone(std::size_t i) const { return sizes_[groups_[i]] == 1; }

bool TellingApart::done() const {
  return std::all_of(sizes_.begin(), sizes_.end(), [](std::size_t size) { return size < 2; });
}

void TellingApart::look_at(const std::string& path, std::vector<Json> values) {
  std::map<std::pair<std::size_t, Json>, std::size_t> numbers;
  std::vector<std::size_t> split;
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    const std::size_t number = numbers.try_emplace({groups_[i], values[i]}, numbers.size()).first->second;
    split.push_back(number);
    sizes.resize(numbers.size());
    ++sizes[number];
  }
  const auto used = std::count_if(sizes_.begin(), sizes_.end(), [](std::size_t size) { return size > 0; });
  if (sizes.size() == static_cast<std::size_t>(used)) return;
  groups_ = std::move(split);
  sizes_ = std::move(sizes);
  taken_.push_back({path, std::move(values)});
}

void TellingApart::look_at_axes(Seeds seeds) {
  const AllLeaves axes = all_leaves(trials_, &StudyTrial::axes);
  for (const std::string& path : axes.paths) {
    if (done()) return;
    if (path == kModel || path == "model.name") {
      look_at_models();
      continue;
    }
    if (seeds == Seeds::kNot && rank_of(path) > 0) continue;
    std::vector<Json> values;
    for (std::size_t i = 0; i < trials_.size(); ++i) values.push_back(value_of(*trials_[i], axes.by_trial[i], path));
    look_at(path, std::move(values));
  }
}

void TellingApart::look_at_models() {
  std::vector<Json> values;
  for (const StudyTrial* trial : trials_) values.emplace_back(name_without_block(*trial));
  look_at(kModel, std::move(values));
}

void TellingApart::look_at_configurations(Seeds seeds) {
  if (done()) return;
  const AllLeaves all = all_leaves(trials_, &StudyTrial::spec);
  for (const std::string& path : all.paths) {
    if (done()) return;
    if (seeds == Seeds::kNot && rank_of(path) > 0) continue;
    std::vector<Json> values;
    for (const Leaves& leaves : all.by_trial) values.push_back(value_at(leaves, path));
    look_at(path, std::move(values));
  }
}

std::vector<std::string> TellingApart::keys() const {
  std::map<std::string, int> num_of_end;
  for (const Taken& one : taken_) ++num_of_end[end_of(one.path)];
  std::vector<std::string> keys;
  for (const Taken& one : taken_) keys.push_back(num_of_end[end_of(one.path)] == 1 ? end_of(one.path) : one.path);
  return keys;
}

std::vector<Json> TellingApart::values(std::size_t i) const {
  std::vector<Json> values;
  for (const Taken& one : taken_) values.push_back(one.values[i]);
  return values;
}

std::string TellingApart::name(std::size_t i) const {
  const std::vector<std::string> all_keys = keys();
  std::string name;
  for (std::size_t k = 0; k < taken_.size(); ++k) {
    const Json& value = taken_[k].values[i];
    const std::string gap = name.empty() ? "" : " ";
    if (value.is_string()) {
      name += gap + value.get<std::string>();
    } else {
      name += fmt::format("{}{}={}", gap, all_keys[k], value.is_null() ? "none" : value.dump());
    }
  }
  return name;
}

}  // namespace ditscale::analysis
