#include "analysis/figures/run_figures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

namespace ditscale::analysis {

using Kind = Column::Kind;

namespace {

std::string lane_of(const results::AttemptRecord& attempt) {
  return fmt::format("{} {}", attempt.host, attempt.devices);
}

/// The lanes without the domains of their hosts, where they can be told apart without.
std::vector<std::string> short_names(const std::set<std::string>& lanes) {
  std::vector<std::string> names;
  for (const std::string& lane : lanes) {
    const std::string host = lane.substr(0, lane.find(' '));
    names.push_back(host.substr(0, host.find('.')) + lane.substr(host.size()));
  }
  const bool apart = std::set<std::string>(names.begin(), names.end()).size() == names.size();
  return apart ? names : std::vector<std::string>(lanes.begin(), lanes.end());
}

/// More labels than this overlap.
constexpr std::size_t kMostLabels = 20;

/// Runs made elsewhere have a duration, but no device and no time.
bool ended(const results::AttemptRecord& attempt) {
  return attempt.host != "imported" && attempt.ended_s && *attempt.ended_s > attempt.started_s;
}

double first_start(const Study& study) {
  double first = std::numeric_limits<double>::infinity();
  for (const auto& attempt : study.attempts) {
    if (ended(attempt)) first = std::min(first, attempt.started_s);
  }
  return first;
}

bool ended_well(const results::AttemptRecord& attempt) {
  return attempt.state == results::TrialState::kSucceeded || attempt.state == results::TrialState::kPreempted;
}

std::string label_of(const Study& study, const common::TrialId& id) {
  const StudyTrial* trial = study.find(id);
  return trial == nullptr ? id.brief() : trial->row.trial.label;
}

}  // namespace

Figure gantt(const Study& study) {
  Figure figure;
  figure.name = "gantt";
  figure.title = study.name + ": attempts by device";
  figure.x = {"hours since the first start", false, {}};
  figure.y = {"device", false, {}};
  figure.table.columns = {{"trial"},
                          {"label"},
                          {"attempt", Kind::kInteger},
                          {"lane"},
                          {"state"},
                          {"start_h", Kind::kNumber},
                          {"end_h", Kind::kNumber}};
  std::set<std::string> lanes;
  for (const auto& attempt : study.attempts) {
    if (ended(attempt)) lanes.insert(lane_of(attempt));
  }
  figure.y.categories = short_names(lanes);
  const double zero = first_start(study);
  std::map<std::string, Series> by_state;
  for (const auto& attempt : study.attempts) {
    if (!ended(attempt)) continue;
    const std::string state{to_name(attempt.state)};
    Series& series = by_state[state];
    series.name = state;
    series.look = Series::Look::kSegments;
    const auto lane = static_cast<double>(std::distance(lanes.begin(), lanes.find(lane_of(attempt))));
    const double from = (attempt.started_s - zero) / 3600;
    const double to = (*attempt.ended_s - zero) / 3600;
    const std::string label = label_of(study, attempt.trial);
    series.points.push_back({from, lane, label});
    series.points.push_back({to, lane, label});
    figure.table.rows.push_back(
        {attempt.trial.str(), label, common::to_int(attempt.number), lane_of(attempt), state, from, to});
  }
  // What ended well first: it has the plain line.
  const std::string well{to_name(results::TrialState::kSucceeded)};
  if (by_state.contains(well)) figure.series.push_back(std::move(by_state[well]));
  for (auto& [state, series] : by_state) {
    if (state != well) figure.series.push_back(std::move(series));
  }
  return figure;
}

Figure predicted_against_actual_cost(const Study& study) {
  Figure figure;
  figure.name = "predicted_against_actual_cost";
  figure.title = study.name + ": predicted and actual seconds of attempts that ended well";
  figure.x = {"predicted seconds", true, {}};
  figure.y = {"actual seconds", true, {}};
  figure.table.columns = {
      {"trial"}, {"label"}, {"attempt", Kind::kInteger}, {"predicted_s", Kind::kNumber}, {"actual_s", Kind::kNumber}};
  Series points{"attempts", {}, Series::Look::kPoints};
  for (const auto& attempt : study.attempts) {
    if (!ended(attempt) || !ended_well(attempt) || attempt.predicted_s <= 0) continue;
    const double actual = *attempt.ended_s - attempt.started_s;
    points.points.push_back({attempt.predicted_s, actual, label_of(study, attempt.trial)});
    figure.table.rows.push_back({attempt.trial.str(), label_of(study, attempt.trial), common::to_int(attempt.number),
                                 attempt.predicted_s, actual});
  }
  if (points.points.empty()) return figure;
  std::vector<double> seconds;
  for (const FigurePoint& point : points.points) seconds.insert(seconds.end(), {point.x, point.y});
  const auto [low, high] = std::minmax_element(seconds.begin(), seconds.end());
  figure.series.push_back({"as predicted", {{*low, *low, ""}, {*high, *high, ""}}, Series::Look::kLaw});
  figure.series.push_back(std::move(points));
  return figure;
}

Figure residuals(const FitReport& report, const std::string& name) {
  const LawFit& fit = *preferred_form(report).fit;
  Figure figure;
  figure.name = name;
  figure.title = fmt::format("{}: measured over law {}", report.y_name, fit.law().text(3));
  figure.x = {report.x_name, true, {}};
  figure.y = {"measured above the law, %", false, {}};
  figure.table.columns = {{"run"},
                          {"label"},
                          {"x", Kind::kNumber},
                          {"measured", Kind::kNumber},
                          {"law", Kind::kNumber},
                          {"percent", Kind::kNumber}};
  Series points{"runs", {}, Series::Look::kPoints};
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    const FitPoint& p = report.points[i];
    const double percent = 100 * (p.y / fit.predicted[i] - 1);
    points.points.push_back({p.x, percent, p.label});
    figure.table.rows.push_back({p.run, p.label, p.x, p.y, fit.predicted[i], percent});
  }
  const std::vector<double> xs = xs_of(report.points);
  const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
  figure.series.push_back({"law", {{*low, 0, ""}, {*high, 0, ""}}, Series::Look::kLaw});
  figure.series.push_back(std::move(points));
  return figure;
}

Figure law_with_band(const FitReport& report, const std::string& name) {
  constexpr int kPlaces = 60;
  Figure figure;
  figure.name = name;
  const FormReport& form = preferred_form(report);
  if (facts_of(form.form).two_inputs) return figure;
  const std::vector<double> xs = xs_of(report.points);
  const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
  double end = kBeyondData * *high;
  for (const auto& [x, unused] : report.asked) end = std::max(end, x);
  figure.title =
      fmt::format("{}: law {} with its 95 % band; shaded: beyond the data", report.y_name, form.fit->law().text(3));
  figure.x = {report.x_name, true, {}, std::pair(*low, *high)};
  figure.y = {report.y_name, false, {}};
  figure.table.columns = {
      {"what"}, {"x", Kind::kNumber}, {"y", Kind::kNumber}, {"low_95", Kind::kNumber}, {"high_95", Kind::kNumber}};
  Series area{"", {}, Series::Look::kArea};
  Series law{"law", {}, Series::Look::kLaw};
  std::vector<FigurePoint> upper;
  for (int i = 0; i <= kPlaces; ++i) {
    const double x = *low * std::pow(end / *low, static_cast<double>(i) / kPlaces);
    const auto interval = form.bootstrap.interval([x](const Law& one) { return one.at(x); });
    law.points.push_back({x, form.fit->law().at(x), ""});
    figure.table.rows.push_back({"law", x, law.points.back().y, interval ? common::Json(interval->low) : nullptr,
                                 interval ? common::Json(interval->high) : nullptr});
    if (!interval) continue;
    area.points.push_back({x, interval->low, ""});
    upper.push_back({x, interval->high, ""});
  }
  area.points.insert(area.points.end(), upper.rbegin(), upper.rend());
  Series runs{"runs", {}, Series::Look::kPoints};
  for (const FitPoint& p : report.points) {
    runs.points.push_back({p.x, p.y, ""});
    figure.table.rows.push_back({p.label, p.x, p.y, nullptr, nullptr});
  }
  if (!area.points.empty()) figure.series.push_back(std::move(area));
  figure.series.push_back(std::move(law));
  figure.series.push_back(std::move(runs));
  return figure;
}

Figure predicted_against_measured(const FitReport& report, const std::string& name) {
  const FormReport& form = preferred_form(report);
  Figure figure;
  figure.name = name;
  figure.title = fmt::format("{}: held-out scores as predicted by {}", report.y_name, facts_of(form.form).name);
  figure.x = {"measured " + report.y_name, true, {}};
  figure.y = {"predicted without it", true, {}};
  figure.table.columns = {{"held_out"}, {"label"}, {"measured", Kind::kNumber}, {"predicted", Kind::kNumber}};
  const auto add = [&](Series& series, const FitPoint& p, const Law& law) {
    series.points.push_back({p.y, law.at(p.x, p.d), p.label});
    figure.table.rows.push_back({series.name, p.label, p.y, law.at(p.x, p.d)});
  };
  Series runs{"each run", {}, Series::Look::kPoints};
  const std::vector<std::size_t> run_of = run_numbers(report.points);
  for (std::size_t i = 0; i < report.points.size() && !form.influences.empty(); ++i) {
    const auto& without = form.influences[run_of[i]].law;
    if (without) add(runs, report.points[i], *without);
  }
  Series largest{"the largest", {}, Series::Look::kPoints};
  if (form.held_out) {
    for (const std::size_t i : form.held_out->places) add(largest, report.points[i], form.held_out->law);
  }
  std::vector<double> all;
  for (const Series* series : {&runs, &largest}) {
    for (const FigurePoint& p : series->points) all.insert(all.end(), {p.x, p.y});
  }
  if (all.empty()) return figure;
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  figure.series.push_back({"as measured", {{*low, *low, ""}, {*high, *high, ""}}, Series::Look::kLaw});
  for (Series* series : {&runs, &largest}) {
    for (FigurePoint& p : series->points) p.label = series->points.size() > kMostLabels ? "" : p.label;
    if (!series->points.empty()) figure.series.push_back(std::move(*series));
  }
  return figure;
}

Utilisation utilisation(const Study& study) {
  Utilisation result;
  std::set<std::string> lanes;
  double last = 0;
  for (const auto& attempt : study.attempts) {
    if (!ended(attempt)) continue;
    lanes.insert(lane_of(attempt));
    const double seconds = *attempt.ended_s - attempt.started_s;
    result.busy_s += seconds;
    if (!ended_well(attempt)) result.lost_s += seconds;
    last = std::max(last, *attempt.ended_s);
  }
  result.num_lanes = lanes.size();
  if (!lanes.empty()) result.makespan_s = last - first_start(study);
  return result;
}

}  // namespace ditscale::analysis
