#include "analysis/figures/trial_names.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analysis/figures/telling_apart.hpp"

namespace ditscale::analysis {

namespace {

/// Of more runs no name finds a place beside its point.
constexpr std::size_t kMostNamed = 100;

bool is_published(const StudyTrial& trial) { return trial.model.starts_with("DiT-"); }

std::string without_prefix(const StudyTrial& trial) {
  return is_published(trial) ? trial.model.substr(4) : trial.model;
}

}  // namespace

std::string short_label(const StudyTrial& trial) {
  if (is_published(trial)) return without_prefix(trial);
  if (trial.depth == 0 || trial.width == 0) return trial.id().brief();
  return fmt::format("d{} w{}", trial.depth, trial.width);
}

TrialNames names_among(std::vector<const StudyTrial*> trials) {
  std::set<const StudyTrial*> seen;
  std::erase_if(trials, [&](const StudyTrial* trial) { return !seen.insert(trial).second; });
  if (trials.size() == 1) return {{trials.front(), trials.front()->model}};
  TellingApart apart(trials, std::vector<std::size_t>(trials.size()));
  if (std::any_of(trials.begin(), trials.end(), [](const auto* trial) { return is_published(*trial); })) {
    apart.look_at_models();
  }
  apart.look_at_axes(TellingApart::Seeds::kToo);
  apart.look_at_models();
  apart.look_at_configurations(TellingApart::Seeds::kToo);
  TrialNames names;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    std::string name = apart.name(i);
    if (name.empty()) name = without_prefix(*trials[i]);
    names[trials[i]] = apart.is_alone(i) ? name : name + " " + trials[i]->id().brief();
  }
  return names;
}

std::string name_without_block(const StudyTrial& trial) {
  std::string name = without_prefix(trial);
  const std::string design = "-" + trial.block;
  if (const auto at = name.find(design); !trial.block.empty() && at != std::string::npos) name.erase(at, design.size());
  return name;
}

RunNames run_names(const std::vector<ScorePoint>& points) {
  std::set<const StudyTrial*> trials;
  std::set<std::string> models;
  for (const ScorePoint& point : points) {
    trials.insert(point.trial);
    models.insert(point.trial->model);
  }
  TrialNames apart;
  if (models.size() < trials.size() && trials.size() <= kMostNamed) apart = names_among({trials.begin(), trials.end()});
  RunNames names;
  for (const StudyTrial* trial : trials)
    names[trial->id().str()] = apart.empty() ? without_prefix(*trial) : apart[trial];
  return names;
}

}  // namespace ditscale::analysis
