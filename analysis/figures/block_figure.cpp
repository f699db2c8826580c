#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/figures/setting_figures.hpp"
#include "analysis/figures/spread.hpp"
#include "analysis/figures/trial_names.hpp"

namespace ditscale::analysis {

using common::Json;
using Kind = Column::Kind;

namespace {

/// Scored trials of one configuration but for the block design and the seed.
using Group = std::vector<const StudyTrial*>;

/// Marks before they begin anew (looks.hpp).
constexpr std::size_t kMarks = 10;

std::string shared_configuration(const StudyTrial& trial) {
  Json spec = trial.spec();
  if (spec.contains("model") && spec["model"].is_object()) spec["model"].erase("block");
  spec.erase("seed");
  return spec.dump();
}

/// The trial's scores by step.
std::vector<results::EvaluationRow> scores_of(const SettingView& view, const StudyTrial& trial) {
  std::vector<results::EvaluationRow> found;
  for (const results::EvaluationRow& row : view.study.scores_of(trial.id())) {
    if (row.metric == view.metric && row.settings_id == view.settings.id && row.value) found.push_back(row);
  }
  return found;
}

std::set<std::string> designs_of(const Group& group) {
  std::set<std::string> designs;
  for (const StudyTrial* trial : group) designs.insert(trial->block);
  return designs;
}

/// Groups of two designs or more, from the smallest model to the largest.
std::vector<Group> comparable(const SettingView& view) {
  std::set<std::string> all;
  for (const StudyTrial& trial : view.study.trials) all.insert(trial.block);
  if (all.size() < 2) return {};
  std::map<std::string, Group> alike;
  for (const StudyTrial& trial : view.study.trials) {
    if (!scores_of(view, trial).empty()) alike[shared_configuration(trial)].push_back(&trial);
  }
  std::vector<Group> groups;
  for (auto& [unused, group] : alike) {
    if (designs_of(group).size() > 1) groups.push_back(std::move(group));
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.front()->gflops() < b.front()->gflops(); });
  return groups;
}

std::size_t num_trials(const std::vector<Group>& groups) {
  std::size_t num = 0;
  for (const Group& group : groups) num += group.size();
  return num;
}

/// Whole groups, as many as can be told apart; none where each is too large.
std::vector<Group> as_many_as_fit(const std::vector<Group>& groups) {
  for (std::size_t most = std::min(groups.size(), kMostCurves / 2); most > 0; --most) {
    std::vector<Group> chosen;
    for (const std::size_t place : spread_places(groups.size(), most)) chosen.push_back(groups[place]);
    if (num_trials(chosen) <= kMostCurves) return chosen;
  }
  return {};
}

Group first_of_each_design(const Group& group) {
  Group first;
  std::set<std::string> seen;
  for (const StudyTrial* trial : group) {
    if (seen.insert(trial->block).second) first.push_back(trial);
  }
  return first;
}

std::vector<Group> shown_of(std::vector<Group> groups) {
  std::vector<Group> shown = as_many_as_fit(groups);
  if (!shown.empty()) return shown;
  for (Group& group : groups) group = first_of_each_design(group);  // too many seeds
  return as_many_as_fit(groups);
}

/// A number per configuration, the same for each design; seeds have their own.
std::map<const StudyTrial*, std::size_t> marks_of(const std::vector<Group>& groups) {
  std::map<const StudyTrial*, std::size_t> marks;
  std::size_t first = 0;
  for (const Group& group : groups) {
    std::map<std::string, std::size_t> next;  // of each design
    std::size_t end = first;
    for (const StudyTrial* trial : group) {
      marks[trial] = next.try_emplace(trial->block, first).first->second++;
      end = std::max(end, next[trial->block]);
    }
    first = end;
  }
  return marks;
}

/// By design, then size: a colour and a dash per design, a mark per configuration.
std::vector<Series> series_of(const SettingView& view, const std::vector<Group>& groups) {
  const auto marks = marks_of(groups);
  std::map<std::string, std::map<std::size_t, const StudyTrial*>> by_design;  // by mark
  std::vector<const StudyTrial*> drawn;
  for (const Group& group : groups) drawn.insert(drawn.end(), group.begin(), group.end());
  for (const auto& [trial, mark] : marks) by_design[trial->block][mark] = trial;
  TrialNames names = names_among(drawn);
  std::vector<Series> list;
  std::size_t design = 0;
  for (const auto& [unused, trials] : by_design) {
    for (const auto& [mark, trial] : trials) {
      Series series{names[trial], {}};
      series.style = SeriesStyle{design, mark, design + by_design.size() * (mark / kMarks)};
      for (const auto& row : scores_of(view, *trial)) {
        series.points.push_back({static_cast<double>(row.step), *row.value, ""});
      }
      list.push_back(std::move(series));
    }
    ++design;
  }
  return list;
}

}  // namespace

Figure score_by_block(const SettingView& view) {
  Figure figure;
  figure.name = view.metric + "_by_block";
  figure.x = {"step", false, {}};
  figure.y = {view.score_label, false, {}};
  figure.table.columns = {{"trial"}, {"label"}, {"block"}, {"step", Kind::kInteger}, {view.metric, Kind::kNumber}};
  const std::vector<Group> groups = comparable(view);
  const std::vector<Group> shown = shown_of(groups);
  figure.title = fmt::format("{}: {} by block design{}", view.study.name, view.score_label,
                             part_text(num_trials(shown), num_trials(groups)));
  figure.series = series_of(view, shown);
  for (const Group& group : groups) {
    for (const StudyTrial* trial : group) {
      for (const auto& row : scores_of(view, *trial)) {
        figure.table.rows.push_back({trial->id().str(), trial->row.trial.label, trial->block, row.step, *row.value});
      }
    }
  }
  return figure;
}

}  // namespace ditscale::analysis
