#include "analysis/figures/run_figures.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sweeps/spec/trial_spec.hpp"

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

DeviceTime device_time(const Study& study) {
  DeviceTime time;
  if (study.nodes.empty()) return time;
  const double first_joined_s = study.nodes.front().joined_s;
  double last_s = 0;
  for (const auto& attempt : study.attempts) {
    const StudyTrial* trial = study.find(attempt.trial);
    if (!ended(attempt) || trial == nullptr) continue;
    last_s = std::max(last_s, *attempt.ended_s);
    const double seconds = *attempt.ended_s - std::max(attempt.started_s, first_joined_s);
    if (seconds <= 0) continue;  // of a run that did not record its nodes
    const sweeps::ResourceSpec held = sweeps::stored_resources(trial->spec());
    time.held_cpu_s += seconds * static_cast<double>(held.cpus * held.num_processes());
    time.held_gpu_s += seconds * static_cast<double>(held.gpus);
  }
  for (const results::NodeRecord& node : study.nodes) {
    const double seconds = std::max(0.0, node.left_s.value_or(last_s) - node.joined_s);
    time.had_cpu_s += seconds * static_cast<double>(node.cpus);
    time.had_gpu_s += seconds * static_cast<double>(node.gpus);
  }
  return time;
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
