#include "analysis/figures/setting_figures.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace ditscale::analysis {

using common::Json;
using Kind = Column::Kind;

namespace {

/// Curves of one figure that can be told apart.
constexpr std::size_t kMostCurves = 24;

/// A score with the setting it was taken under.
struct Scored {
  const StudyTrial* trial;
  const results::EvaluationRow* row;
  const Json* settings;
};

Json without(Json settings, const std::string& key) {
  settings.erase(key);
  return settings;
}

/// Scores under settings that equal the view's but for `key`; by trial, then step.
std::vector<Scored> scores_across(const SettingView& view, const std::string& key, bool final_only) {
  std::map<std::string, const Json*> alike;
  const Json wanted = without(view.settings.document, key);
  for (const results::SettingsRow& row : view.study.settings) {
    if (without(row.document, key) == wanted) alike[row.id] = &row.document;
  }
  std::vector<Scored> found;
  for (const StudyTrial& trial : view.study.trials) {
    for (const results::EvaluationRow& row : view.study.scores_of(trial.id())) {
      const bool asked = row.metric == view.metric && row.value && alike.contains(row.settings_id);
      if (asked && (!final_only || row.step == trial.planned_steps))
        found.push_back({&trial, &row, alike[row.settings_id]});
    }
  }
  return found;
}

double number_in(const Json& settings, const std::string& key, double otherwise) {
  const Json value = settings.value(key, Json());
  return value.is_number() ? value.get<double>() : otherwise;
}

/// One series per trial over `x`; empty unless a trial has two places or more.
template <typename X>
Figure by_trial(const SettingView& view, const std::string& key, const Figure& blank, const std::string& x_column,
                const X& x) {
  Figure figure = blank;
  figure.y = {view.score_label, false, {}};
  figure.table.columns = {
      {"trial"}, {"label"}, {"model"}, {"settings_id"}, {x_column, Kind::kNumber}, {view.metric, Kind::kNumber}};
  if (view.study.settings.size() < 2) return figure;
  std::map<const StudyTrial*, Series> series;
  for (const Scored& one : scores_across(view, key, true)) {
    Series& own = series[one.trial];
    own.name = view.study.num_of_model(one.trial->model) > 1 ? one.trial->model + " " + one.trial->id().brief()
                                                             : one.trial->model;
    own.points.push_back({x(one), *one.row->value, ""});
    figure.table.rows.push_back({one.trial->id().str(), one.trial->row.trial.label, one.trial->model,
                                 one.row->settings_id, x(one), *one.row->value});
  }
  for (auto& [unused, own] : series) {
    if (own.points.size() < 2 || figure.series.size() == kMostCurves) continue;
    std::sort(own.points.begin(), own.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    figure.series.push_back(std::move(own));
  }
  return figure;
}

/// The configuration without block and seed: what trials of a comparison share.
std::string shared_configuration(const StudyTrial& trial) {
  Json spec = trial.spec();
  if (spec.contains("model") && spec["model"].is_object()) spec["model"].erase("block");
  spec.erase("seed");
  return spec.dump();
}

}  // namespace

Figure score_by_guidance(const SettingView& view) {
  Figure blank;
  blank.name = view.metric + "_by_guidance";
  blank.title = fmt::format("{}: {} by guidance", view.study.name, view.score_label);
  blank.x = {"classifier-free guidance scale (1: none)", false, {}};
  return by_trial(view, "guidance", blank, "guidance",
                  [](const Scored& one) { return number_in(*one.settings, "guidance", 1); });
}

Figure score_by_sampling_compute(const SettingView& view) {
  Figure blank;
  blank.name = view.metric + "_by_sampling_compute";
  blank.title = fmt::format("{}: {} by sampling compute", view.study.name, view.score_label);
  blank.x = {"sampling Tflops per image (multiply-accumulates / 10¹²)", true, {}};
  return by_trial(view, "steps", blank, "sampling_tmacs", [](const Scored& one) {
    const double passes = number_in(*one.settings, "steps", 1) * (number_in(*one.settings, "guidance", 1) == 1 ? 1 : 2);
    return static_cast<double>(one.trial->row.trial.forward_macs) * passes / 1e12;
  });
}

Figure score_by_block(const SettingView& view) {
  Figure figure;
  figure.name = view.metric + "_by_block";
  figure.title = fmt::format("{}: {} by block design", view.study.name, view.score_label);
  figure.x = {"step", false, {}};
  figure.y = {view.score_label, false, {}};
  figure.table.columns = {{"trial"}, {"label"}, {"block"}, {"step", Kind::kInteger}, {view.metric, Kind::kNumber}};
  std::map<std::string, std::set<std::string>> blocks;  // of each shared configuration
  std::set<std::string> all;
  for (const StudyTrial& trial : view.study.trials) all.insert(trial.block);
  if (all.size() < 2) return figure;
  for (const StudyTrial& trial : view.study.trials) blocks[shared_configuration(trial)].insert(trial.block);
  std::map<std::pair<std::string, const StudyTrial*>, Series> series;
  for (const Scored& one : scores_across(view, "", false)) {
    if (blocks[shared_configuration(*one.trial)].size() < 2) continue;
    const std::string block = one.trial->block;
    Series& own = series[{block, one.trial}];
    own.name = fmt::format("{} ({})", block, one.trial->id().brief());
    own.points.push_back({static_cast<double>(one.row->step), *one.row->value, ""});
    figure.table.rows.push_back(
        {one.trial->id().str(), one.trial->row.trial.label, block, one.row->step, *one.row->value});
  }
  for (auto& [unused, own] : series) {
    if (figure.series.size() < kMostCurves) figure.series.push_back(std::move(own));
  }
  return figure;
}

}  // namespace ditscale::analysis
