#include "analysis/figures/study_figures.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

namespace ditscale::analysis {

namespace {

constexpr const char* kGflopsAxis = "forward Gflops (paper's convention: multiply-accumulates / 10⁹)";
constexpr const char* kTrainingAxis = "training FLOPs (6 × forward multiply-accumulates × images)";
constexpr int kLawPoints = 64;
/// Above so many points, a line through them hides more than it shows.
constexpr std::size_t kMostJoined = 100;
/// More curves than this cannot be told apart.
constexpr std::size_t kMostCurves = 24;
/// Points of a loss curve: more cannot be seen.
constexpr std::size_t kMostCurvePoints = 400;

/// What tells trials of one patch size apart: "d4 w128", or a published name ("XL/2").
std::string short_label(const StudyTrial& trial) {
  if (trial.model.starts_with("DiT-")) return trial.model.substr(4);
  if (trial.depth == 0 || trial.width == 0) return trial.id().brief();
  return fmt::format("d{} w{}", trial.depth, trial.width);
}

/// Legend of a trial; models that appear twice (other seeds, other training) carry the start of their id.
std::string trial_name(const Study& study, const StudyTrial& trial) {
  return study.num_of_model(trial.model) > 1 ? fmt::format("{} {}", trial.model, trial.id().brief()) : trial.model;
}

Table score_table(const ScoreView& view, const std::vector<ScorePoint>& points) {
  using Kind = Column::Kind;
  Table table;
  table.columns = {{"trial"},
                   {"label"},
                   {"model"},
                   {"patch", Kind::kInteger},
                   {"parameters", Kind::kInteger},
                   {"forward_macs", Kind::kInteger},
                   {"step", Kind::kInteger},
                   {"schedule_fraction", Kind::kNumber},
                   {"training_flops", Kind::kNumber},
                   {view.metric, Kind::kNumber}};
  for (const ScorePoint& p : points) {
    const results::TrialRecord& trial = p.trial->row.trial;
    table.rows.push_back(
        {trial.id.str(), trial.label, p.trial->model, p.trial->patch, trial.total_parameters, trial.forward_macs,
         p.step, static_cast<double>(p.step) / static_cast<double>(p.trial->planned_steps), p.training_flops, p.value});
  }
  return table;
}

/// What one series holds: a patch size (largest first: cheapest models first), and a block design where there are
/// several.
using Family = std::pair<std::int64_t, std::string>;

std::vector<Family> families_of(const std::vector<ScorePoint>& points) {
  const bool one_block = std::all_of(
      points.begin(), points.end(), [&](const ScorePoint& p) { return p.trial->block == points.front().trial->block; });
  std::vector<Family> families;
  for (const ScorePoint& p : points) families.emplace_back(-p.trial->patch, one_block ? "" : p.trial->block);
  return families;
}

std::string name_of(const Family& family) {
  return fmt::format("patch {}{}{}", -family.first, family.second.empty() ? "" : ", ", family.second);
}

/// One series per family, points by rising x.
std::vector<Series> by_patch(const ScoreView& view, double (*x_of_trial)(const StudyTrial&)) {
  const bool many = view.points.final.size() > kMostJoined;
  const std::vector<Family> families = families_of(view.points.final);
  std::map<Family, Series> series;
  for (std::size_t i = 0; i < families.size(); ++i) {
    const ScorePoint& p = view.points.final[i];
    Series& one = series[families[i]];
    one.name = name_of(families[i]);
    one.points.push_back({x_of_trial(*p.trial), p.value, many ? "" : short_label(*p.trial)});
    if (many) one.look = Series::Look::kPoints;
  }
  std::vector<Series> list;
  for (auto& [unused, one] : series) {
    std::stable_sort(one.points.begin(), one.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    list.push_back(std::move(one));
  }
  return list;
}

std::vector<Series> curves_by_trial(const ScoreView& view) {
  std::vector<Series> list;
  const StudyTrial* last = nullptr;
  for (const ScorePoint& p : view.points.all) {  // by trial, then step
    if (p.trial != last) list.push_back({trial_name(view.study, *p.trial), {}, Series::Look::kPointsAndLine});
    last = p.trial;
    list.back().points.push_back({p.training_flops, p.value, ""});
  }
  return list;
}

/// For studies of many trials.
std::vector<Series> points_by_patch(const ScoreView& view) {
  const std::vector<Family> families = families_of(view.points.all);
  std::map<Family, Series> series;
  for (std::size_t i = 0; i < families.size(); ++i) {
    const ScorePoint& p = view.points.all[i];
    Series& one = series[families[i]];
    one.name = name_of(families[i]);
    one.look = Series::Look::kPoints;
    one.points.push_back({p.training_flops, p.value, ""});
  }
  std::vector<Series> list;
  for (auto& [unused, one] : series) list.push_back(std::move(one));
  return list;
}

/// All trials, or as many as can be told apart, from the smallest model to the largest.
std::vector<const StudyTrial*> spread_by_size(const Study& study) {
  std::vector<const StudyTrial*> all;
  for (const StudyTrial& trial : study.trials) {
    if (trial.row.steps_done) all.push_back(&trial);
  }
  if (all.size() <= kMostCurves) return all;
  std::stable_sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->gflops() < b->gflops(); });
  std::vector<const StudyTrial*> shown;
  for (std::size_t i = 0; i < kMostCurves; ++i) shown.push_back(all[i * (all.size() - 1) / (kMostCurves - 1)]);
  return shown;
}

/// A line per curve by step, and its numbers.
Figure loss_figure(const Study& study, const std::vector<LossCurve>& curves, const std::string& name,
                   const std::string& what) {
  Figure figure;
  figure.name = name;
  figure.title = study.name + ": " + what;
  if (curves.size() < study.trials.size()) {
    figure.title += fmt::format(", {} of {} trials", curves.size(), study.trials.size());
  }
  figure.y = {"training loss", true, {}};
  figure.table.columns = {{"trial"},
                          {"label"},
                          {"model"},
                          {"step", Column::Kind::kInteger},
                          {"training_flops", Column::Kind::kNumber},
                          {"loss_smoothed", Column::Kind::kNumber}};
  for (const LossCurve& curve : curves) {
    const StudyTrial& trial = *curve.trial;
    Series series{trial_name(study, trial), {}, Series::Look::kLine};
    for (const CurvePoint& p : curve.points) {
      series.points.push_back({static_cast<double>(p.step), p.value, ""});
      figure.table.rows.push_back(
          {trial.id().str(), trial.row.trial.label, trial.model, p.step, trial.training_flops_after(p.step), p.value});
    }
    if (!series.points.empty()) figure.series.push_back(std::move(series));
  }
  return figure;
}

/// The same law of forward Gflops instead of MACs.
Law law_in_gflops(Law law) {
  law.values[0] *= std::pow(1e9, -law.values[1]);
  return law;
}

/// The law over the range of the data; x of the law is forward MACs.
Series law_series(const Law& law, const std::vector<ScorePoint>& points) {
  const auto [low, high] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.trial->gflops() < b.trial->gflops(); });
  Series series;
  series.look = Series::Look::kLaw;
  series.name = "fit: " + law_in_gflops(law).text(3);
  const double ratio = high->trial->gflops() / low->trial->gflops();
  for (int i = 0; i < kLawPoints; ++i) {
    const double gflops = low->trial->gflops() * std::pow(ratio, static_cast<double>(i) / (kLawPoints - 1));
    series.points.push_back({gflops, law.at(gflops * 1e9), ""});
  }
  return series;
}

}  // namespace

Figure score_by_forward_gflops(const ScoreView& view, const std::optional<Law>& law) {
  Figure figure;
  figure.name = view.metric + "_by_forward_gflops";
  figure.title = fmt::format("{}: {} by model compute", view.study.name, view.score_label);
  figure.x = {kGflopsAxis, true, {}};
  figure.y = {view.score_label, false, {}};
  if (law && !view.points.final.empty()) figure.series.push_back(law_series(*law, view.points.final));
  for (Series& series : by_patch(view, [](const StudyTrial& t) { return t.gflops(); })) {
    figure.series.push_back(std::move(series));
  }
  figure.table = score_table(view, view.points.final);
  return figure;
}

Figure score_by_parameters(const ScoreView& view) {
  Figure figure;
  figure.name = view.metric + "_by_parameters";
  figure.title = fmt::format("{}: {} by parameters", view.study.name, view.score_label);
  figure.x = {"parameters (with the position embedding)", true, {}};
  figure.y = {view.score_label, false, {}};
  figure.series = by_patch(view, [](const StudyTrial& t) { return static_cast<double>(t.row.trial.total_parameters); });
  figure.table = score_table(view, view.points.final);
  return figure;
}

Figure score_by_training_flops(const ScoreView& view) {
  Figure figure;
  figure.name = view.metric + "_by_training_flops";
  figure.title = fmt::format("{}: {} by training compute", view.study.name, view.score_label);
  figure.x = {kTrainingAxis, true, {}};
  figure.y = {view.score_label, false, {}};
  std::vector<FigurePoint> all;
  for (const ScorePoint& p : view.points.all) all.push_back({p.training_flops, p.value, ""});
  figure.series = view.study.trials.size() > kMostCurves ? points_by_patch(view) : curves_by_trial(view);
  if (view.study.trials.size() > 1) {
    figure.series.insert(figure.series.begin(), {"lower envelope", lower_envelope(all), Series::Look::kBand});
  }
  figure.table = score_table(view, view.points.all);
  return figure;
}

std::vector<LossCurve> loss_curves(const Study& study) {
  std::vector<LossCurve> curves;
  for (const StudyTrial* trial : spread_by_size(study)) {
    LossCurve curve{trial, smoothed_loss(study, *trial, "loss", kMostCurvePoints)};
    std::erase_if(curve.points, [](const CurvePoint& p) { return p.step <= 0 || p.value <= 0; });  // no logarithm
    curves.push_back(std::move(curve));
  }
  return curves;
}

Figure loss_by_step(const Study& study, const std::vector<LossCurve>& curves) {
  Figure figure = loss_figure(study, curves, "loss_by_step", "training loss (smoothed)");
  figure.x = {"step", true, {}};
  return figure;
}

Figure loss_by_training_flops(const Study& study, const std::vector<LossCurve>& curves) {
  Figure figure = loss_figure(study, curves, "loss_by_training_flops", "training loss by training compute (smoothed)");
  figure.x = {kTrainingAxis, true, {}};
  std::vector<FigurePoint> all;
  std::size_t number = 0;
  for (const LossCurve& curve : curves) {
    if (curve.points.empty()) continue;
    Series& series = figure.series[number++];
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      series.points[i].x = curve.trial->training_flops_after(curve.points[i].step);
    }
    all.insert(all.end(), series.points.begin(), series.points.end());
  }
  if (number > 1) {
    figure.series.insert(figure.series.begin(), {"lower envelope", lower_envelope(all), Series::Look::kBand});
  }
  return figure;
}

Figure scores_of_two(const ScoreView& left, const ScoreView& right) {
  Figure figure;
  figure.name = left.metric + "_of_two_studies";
  // Two studies of one name are told apart by their files.
  const bool same_name = left.study.name == right.study.name;
  figure.title = fmt::format("{} and {}: {} by model compute", left.study.name,
                             same_name ? "another of that name" : right.study.name, left.score_label);
  figure.x = {kGflopsAxis, true, {}};
  figure.y = {left.score_label, false, {}};
  figure.table.columns = {
      {"study"}, {"trial"}, {"label"}, {"gflops", Column::Kind::kNumber}, {left.metric, Column::Kind::kNumber}};
  for (const ScoreView* view : {&left, &right}) {
    Series series{same_name ? view->study.database.string() : view->study.name, {}, Series::Look::kPoints};
    for (const ScorePoint& p : view->points.final) {
      series.points.push_back({p.trial->gflops(), p.value, short_label(*p.trial)});
      figure.table.rows.push_back(
          {series.name, p.trial->id().str(), p.trial->row.trial.label, p.trial->gflops(), p.value});
    }
    figure.series.push_back(std::move(series));
  }
  return figure;
}

std::vector<FigurePoint> lower_envelope(std::vector<FigurePoint> points) {
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.x < b.x || (a.x == b.x && a.y < b.y); });
  std::vector<FigurePoint> envelope;
  for (const FigurePoint& point : points) {
    if (envelope.empty() || point.y < envelope.back().y) envelope.push_back({point.x, point.y, ""});
  }
  return envelope;
}

}  // namespace ditscale::analysis
