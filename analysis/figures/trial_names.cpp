#include "analysis/figures/trial_names.hpp"

#include <fmt/format.h>

namespace ditscale::analysis {

namespace {

std::string without_prefix(const std::string& model) { return model.starts_with("DiT-") ? model.substr(4) : model; }

}  // namespace

std::string short_label(const StudyTrial& trial) {
  if (trial.model.starts_with("DiT-")) return without_prefix(trial.model);
  if (trial.depth == 0 || trial.width == 0) return trial.id().brief();
  return fmt::format("d{} w{}", trial.depth, trial.width);
}

std::string trial_name(const Study& study, const StudyTrial& trial) {
  return study.num_of_model(trial.model) > 1 ? fmt::format("{} {}", trial.model, trial.id().brief()) : trial.model;
}

std::string name_without_block(const StudyTrial& trial) {
  std::string name = without_prefix(trial.model);
  const std::string design = "-" + trial.block;
  if (const auto at = name.find(design); !trial.block.empty() && at != std::string::npos) name.erase(at, design.size());
  return name;
}

RunNames run_names(const std::vector<ScorePoint>& points) {
  RunNames names;
  for (const ScorePoint& point : points) names[point.trial->id().str()] = without_prefix(point.trial->model);
  return names;
}

}  // namespace ditscale::analysis
