#include "analysis/figures/run_figures.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "common/text.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::analysis {

using Kind = Column::Kind;

namespace {

/// "gpu 0" and "gpu 1" of "gpu 0,1, cpu 4,5"; its cores where it has no GPU. What is not written so is one device.
std::vector<std::string> devices_on_node(const std::string& text) {
  const std::string kind = text.starts_with("gpu ") ? "gpu " : text.starts_with("cpu ") ? "cpu " : "";
  if (kind.empty()) return {text};
  const std::string numbers = text.substr(kind.size(), text.find(", ") - kind.size());
  std::vector<std::string> devices;
  for (const std::string& number : common::split(numbers, ',')) devices.push_back(kind + number);
  return devices;
}

/// "node gpu 0" …, of all nodes: "cpu 0,1" on one, "a: cpu 0; b: cpu 0,1" on several.
std::vector<std::string> lanes_of(const results::AttemptRecord& attempt) {
  std::vector<std::string> lanes;
  for (std::string_view rest = attempt.devices; lanes.empty() || !rest.empty();) {
    const std::size_t end = rest.find("; ");
    std::string part(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
    const std::size_t colon = part.find(": ");
    const std::string host = colon == std::string::npos ? attempt.host : part.substr(0, colon);
    if (colon != std::string::npos) part.erase(0, colon + 2);
    for (const std::string& device : devices_on_node(part)) lanes.push_back(fmt::format("{} {}", host, device));
  }
  return lanes;
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

bool was_in_vain(const results::AttemptRecord& attempt) {
  return attempt.state == results::TrialState::kLost || attempt.state == results::TrialState::kFailed;
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
    if (!ended(attempt)) continue;
    for (std::string& lane : lanes_of(attempt)) lanes.insert(std::move(lane));
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
    const double from = (attempt.started_s - zero) / 3600;
    const double to = (*attempt.ended_s - zero) / 3600;
    const std::string label = label_of(study, attempt.trial);
    for (const std::string& name : lanes_of(attempt)) {
      const auto lane = static_cast<double>(std::distance(lanes.begin(), lanes.find(name)));
      series.points.push_back({from, lane, label});
      series.points.push_back({to, lane, label});
      figure.table.rows.push_back({attempt.trial.str(), label, common::to_int(attempt.number), name, state, from, to});
    }
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
  figure.title = study.name + ": predicted and actual seconds of attempts that succeeded";
  figure.x = {"predicted seconds", true, {}};
  figure.y = {"actual seconds", true, {}};
  figure.table.columns = {
      {"trial"}, {"label"}, {"attempt", Kind::kInteger}, {"predicted_s", Kind::kNumber}, {"actual_s", Kind::kNumber}};
  Series points{"attempts", {}, Series::Look::kPoints};
  for (const auto& attempt : study.attempts) {
    const bool succeeded = attempt.state == results::TrialState::kSucceeded;
    if (!ended(attempt) || !succeeded || attempt.predicted_s <= 0) continue;
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
    const std::vector<std::string> own = lanes_of(attempt);
    lanes.insert(own.begin(), own.end());
    const double device_s = (*attempt.ended_s - attempt.started_s) * static_cast<double>(own.size());
    result.busy_s += device_s;
    if (was_in_vain(attempt)) result.lost_s += device_s;
    last = std::max(last, *attempt.ended_s);
  }
  result.num_devices = lanes.size();
  if (!lanes.empty()) result.makespan_s = last - first_start(study);
  return result;
}

}  // namespace ditscale::analysis
