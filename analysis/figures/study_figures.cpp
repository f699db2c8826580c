#include "analysis/figures/study_figures.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/figures/lower_envelope.hpp"
#include "analysis/figures/spread.hpp"
#include "analysis/figures/telling_apart.hpp"
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

/// Trials of one size (and block design): what else tells those apart, but for the seed, are the settings of a series.
TellingApart settings_of(const std::vector<ScorePoint>& points) {
  using Size = std::tuple<std::int64_t, std::string, std::int64_t, std::int64_t>;
  std::vector<const StudyTrial*> trials;
  std::vector<std::size_t> sizes;
  std::map<Size, std::size_t> numbers;
  for (const ScorePoint& p : points) {
    const results::TrialRecord& record = p.trial->row.trial;
    const Size size{p.trial->patch, p.trial->block, record.forward_macs, record.total_parameters};
    trials.push_back(p.trial);
    sizes.push_back(numbers.try_emplace(size, numbers.size()).first->second);
  }
  TellingApart apart(std::move(trials), std::move(sizes));
  apart.look_at_axes(TellingApart::Seeds::kNot);
  // Studies that were merged may differ in what is no axis; of many trials that is a long look.
  if (points.size() <= kMostJoined) apart.look_at_configurations(TellingApart::Seeds::kNot);
  return apart;
}

/// What one series holds: a patch size (largest first: cheapest models first), a block design where there are several,
/// and values of the settings, which its name ends with.
struct Family {
  std::int64_t patch = 0;
  std::string block;
  std::vector<common::Json> values;
  std::string setting;

  bool operator<(const Family& other) const {
    return std::tie(other.patch, block, values) < std::tie(patch, other.block, other.values);
  }
  [[nodiscard]] std::string name() const {
    std::string name = fmt::format("patch {}", patch);
    for (const std::string& part : {block, setting}) name += part.empty() ? "" : ", " + part;
    return name;
  }
};

bool has_one_block(const std::vector<ScorePoint>& points) {
  return std::all_of(points.begin(), points.end(),
                     [&](const ScorePoint& p) { return p.trial->block == points.front().trial->block; });
}

std::vector<Family> families_of(const std::vector<ScorePoint>& points) {
  const bool one_block = has_one_block(points);
  std::vector<Family> families;
  for (const ScorePoint& p : points) families.push_back({p.trial->patch, one_block ? "" : p.trial->block, {}, ""});
  return families;
}

/// The same with the settings, unless those are more than can be told apart.
std::vector<Family> families_with_settings(const std::vector<ScorePoint>& points) {
  std::vector<Family> families = families_of(points);
  const TellingApart settings = settings_of(points);
  for (std::size_t i = 0; i < families.size(); ++i) {
    families[i].values = settings.values(i);
    families[i].setting = settings.name(i);
  }
  return std::set<Family>(families.begin(), families.end()).size() > kMostCurves ? families_of(points) : families;
}

/// Points of one size, of several series too, have one label: at the best.
void label_once(std::vector<Series>& list, bool higher_is_better) {
  std::map<double, FigurePoint*> best;
  for (Series& series : list) {
    for (FigurePoint& point : series.points) {
      FigurePoint*& kept = best.try_emplace(point.x, &point).first->second;
      if (kept == &point) continue;
      const bool better = higher_is_better ? point.y > kept->y : point.y < kept->y;
      (better ? kept : &point)->label.clear();
      if (better) kept = &point;
    }
  }
}

/// A line through several points of one size would go up and down at its x.
void join(Series& series, bool many) {
  auto& points = series.points;
  std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  const bool again = std::adjacent_find(points.begin(), points.end(),
                                        [](const auto& a, const auto& b) { return a.x == b.x; }) != points.end();
  series.look = many || again ? Series::Look::kPoints : Series::Look::kPointsAndLine;
}

/// One series per family, points by rising x; above too many points without lines and settings.
void add_final_scores(Figure& figure, const ScoreView& view, double (*x_of_trial)(const StudyTrial&)) {
  const std::vector<ScorePoint>& points = view.points.final;
  const bool many = points.size() > kMostJoined;
  const std::vector<Family> families = many ? families_of(points) : families_with_settings(points);
  std::map<Family, Series> series;
  for (std::size_t i = 0; i < families.size(); ++i) {
    Series& one = series[families[i]];
    one.name = families[i].name();
    one.points.push_back({x_of_trial(*points[i].trial), points[i].value, many ? "" : short_label(*points[i].trial)});
  }
  std::vector<Series> list;
  for (auto& [unused, one] : series) {
    join(one, many);
    list.push_back(std::move(one));
  }
  label_once(list, higher_is_better(view.metric));
  figure.series.insert(figure.series.end(), list.begin(), list.end());
  const bool unjoined =
      std::any_of(list.begin(), list.end(), [](const Series& one) { return one.look == Series::Look::kPoints; });
  if (unjoined && !many) figure.note = "Points are not joined where a series has several of one size.";
}

std::vector<Series> curves_by_trial(const ScoreView& view) {
  std::vector<Series> list;
  std::vector<const StudyTrial*> drawn;
  for (const ScorePoint& p : view.points.all) drawn.push_back(p.trial);
  TrialNames names = names_among(std::move(drawn));
  const StudyTrial* last = nullptr;
  for (const ScorePoint& p : view.points.all) {  // by trial, then step
    if (p.trial != last) list.push_back({names[p.trial], {}, Series::Look::kPointsAndLine});
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
    one.name = families[i].name();
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
  const std::string mixed = mixed_axes(points);
  series.name = fmt::format("fit{}: {}", mixed.empty() ? "" : " over " + mixed, law_in_gflops(law).text(3));
  const double ratio = high->trial->gflops() / low->trial->gflops();
  for (int i = 0; i < kLawPoints; ++i) {
    const double gflops = low->trial->gflops() * std::pow(ratio, static_cast<double>(i) / (kLawPoints - 1));
    series.points.push_back({gflops, law.at(gflops * 1e9), ""});
  }
  return series;
}

}  // namespace

std::string mixed_axes(const std::vector<ScorePoint>& final_points) {
  if (final_points.empty()) return "";
  std::vector<std::string> keys = settings_of(final_points).keys();
  if (!has_one_block(final_points)) keys.insert(keys.begin(), "block");
  return fmt::format("{}", fmt::join(keys, ", "));
}

std::vector<std::string> mixing_warnings(const std::vector<ScorePoint>& final_points) {
  const std::string mixed = mixed_axes(final_points);
  if (mixed.empty()) return {};
  return {fmt::format("correlations and fits take trials together that differ in {} beside their size", mixed)};
}

Figure score_by_forward_gflops(const ScoreView& view, const std::optional<Law>& law) {
  Figure figure;
  figure.name = view.metric + "_by_forward_gflops";
  figure.title = fmt::format("{}: {} by model compute", view.study.name, view.score_label);
  figure.x = {kGflopsAxis, true, {}};
  figure.y = {view.score_label, false, {}};
  if (law && !view.points.final.empty()) figure.series.push_back(law_series(*law, view.points.final));
  add_final_scores(figure, view, [](const StudyTrial& t) { return t.gflops(); });
  figure.table = score_table(view, view.points.final);
  return figure;
}

Figure score_by_parameters(const ScoreView& view) {
  Figure figure;
  figure.name = view.metric + "_by_parameters";
  figure.title = fmt::format("{}: {} by parameters", view.study.name, view.score_label);
  figure.x = {"parameters (with the position embedding)", true, {}};
  figure.y = {view.score_label, false, {}};
  add_final_scores(figure, view, [](const StudyTrial& t) { return static_cast<double>(t.row.trial.total_parameters); });
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
