#include "analysis/figures/setting_figures.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analysis/figures/spread.hpp"
#include "analysis/figures/trial_names.hpp"
#include "sweeps/spec/choices.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::analysis {

using common::Json;
using Kind = Column::Kind;

namespace {

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

/// Final scores under settings that equal the view's but for `key`; by trial.
std::vector<Scored> final_scores_across(const SettingView& view, const std::string& key) {
  std::map<std::string, const Json*> alike;
  const Json wanted = without(view.settings.document, key);
  for (const results::SettingsRow& row : view.study.settings) {
    if (without(row.document, key) == wanted) alike[row.id] = &row.document;
  }
  std::vector<Scored> found;
  for (const StudyTrial& trial : view.study.trials) {
    for (const results::EvaluationRow& row : view.study.scores_of(trial.id())) {
      const bool asked = row.metric == view.metric && row.value && alike.contains(row.settings_id);
      if (asked && row.step == trial.planned_steps) found.push_back({&trial, &row, alike[row.settings_id]});
    }
  }
  return found;
}

double number_in(const Json& settings, const std::string& key, double otherwise) {
  const auto value = settings.find(key);
  return value != settings.end() && value->is_number() ? value->get<double>() : otherwise;
}

/// What the settings say of how samples were drawn.
sweeps::EvaluateSpec sampling_of(const Json& settings) {
  sweeps::EvaluateSpec spec;
  if (const auto name = settings.find("sampler"); name != settings.end() && name->is_string()) {
    spec.sampler = sweeps::choice_from<sweeps::SamplerKind>(name->get<std::string>()).value_or(spec.sampler);
  }
  spec.steps = static_cast<std::int64_t>(number_in(settings, "steps", 1));
  spec.guidance = number_in(settings, "guidance", 1);
  const auto interval = settings.find("guidance_interval");
  const bool limited = interval != settings.end() && interval->is_array() && interval->size() == 2 &&
                       interval->front().is_number() && interval->back().is_number();
  if (limited) {
    spec.guidance_from = interval->front().get<double>();
    spec.guidance_to = interval->back().get<double>();
  }
  return spec;
}

/// Multiply-accumulates for one image: counted by the worker, else by arithmetic.
double sampling_macs_per_image(const Scored& one) {
  const results::EvaluationRow& row = *one.row;
  if (row.sampling_macs.value_or(0) > 0 && row.num_samples.value_or(0) > 0) {
    return *row.sampling_macs / static_cast<double>(*row.num_samples);
  }
  return static_cast<double>(one.trial->row.trial.forward_macs) * sweeps::forward_passes(sampling_of(*one.settings));
}

std::vector<const StudyTrial*> trials_of(const std::map<const StudyTrial*, Series>& series) {
  std::vector<const StudyTrial*> trials;
  for (const auto& [trial, unused] : series) trials.push_back(trial);
  return trials;
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
  for (const Scored& one : final_scores_across(view, key)) {
    series[one.trial].points.push_back({x(one), *one.row->value, ""});
    figure.table.rows.push_back({one.trial->id().str(), one.trial->row.trial.label, one.trial->model,
                                 one.row->settings_id, x(one), *one.row->value});
  }
  std::erase_if(series, [](const auto& one) { return one.second.points.size() < 2; });
  const std::vector<const StudyTrial*> shown = spread_by_size(trials_of(series));
  figure.title += part_text(shown.size(), series.size());
  TrialNames names = names_among(shown);
  for (const StudyTrial* trial : shown) {
    Series& own = series[trial];
    own.name = names[trial];
    std::sort(own.points.begin(), own.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    figure.series.push_back(std::move(own));
  }
  return figure;
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
  return by_trial(view, "steps", blank, "sampling_tmacs",
                  [](const Scored& one) { return sampling_macs_per_image(one) / 1e12; });
}

}  // namespace ditscale::analysis
