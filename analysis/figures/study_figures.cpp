#include "analysis/figures/study_figures.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "analysis/figures/lower_envelope.hpp"
#include "analysis/figures/spread.hpp"
#include "analysis/figures/trial_names.hpp"

namespace ditscale::analysis {

namespace {

constexpr const char* kGflopsAxis = "forward Gflops (paper's convention: multiply-accumulates / 10⁹)";
constexpr int kLawPoints = 64;
/// Above so many points, a line through them hides more than it shows.
constexpr std::size_t kMostJoined = 100;
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
    const bool higher = higher_is_better(view.metric);
    figure.series.insert(
        figure.series.begin(),
        {higher ? "upper envelope" : "lower envelope",
         higher ? upper_envelope(std::move(all)) : lower_envelope(std::move(all)), Series::Look::kBand});
  }
  figure.table = score_table(view, view.points.all);
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

}  // namespace ditscale::analysis
