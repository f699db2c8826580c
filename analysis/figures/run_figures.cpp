#include "analysis/figures/run_figures.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/text.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::analysis {

using Kind = Column::Kind;

namespace {

/// What an attempt held of one node: "cpu", {"4", "5"}. Of a node with GPUs those; what is not written so has no kind
/// and is one device.
struct Share {
  std::string host;
  std::string kind;
  std::vector<std::string> numbers;
};

/// Of "gpu 0,1, cpu 4,5".
Share share_of(const std::string& host, const std::string& text) {
  const std::string kind = text.starts_with("gpu ") ? "gpu" : text.starts_with("cpu ") ? "cpu" : "";
  if (kind.empty()) return {host, kind, {text}};
  const std::size_t from = kind.size() + 1;
  return {host, kind, common::split(text.substr(from, text.find(", ") - from), ',')};
}

/// Of all nodes: "cpu 0,1" on one, "a: cpu 0; b: cpu 0,1" on several.
std::vector<Share> shares_of(const results::AttemptRecord& attempt) {
  std::vector<Share> shares;
  for (std::string_view rest = attempt.devices; shares.empty() || !rest.empty();) {
    const std::size_t end = rest.find("; ");
    std::string part(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
    const std::size_t colon = part.find(": ");
    const std::string host = colon == std::string::npos ? attempt.host : part.substr(0, colon);
    if (colon != std::string::npos) part.erase(0, colon + 2);
    shares.push_back(share_of(host, part));
  }
  return shares;
}

std::string device_name(const Share& share, const std::string& number) {
  return fmt::format("{}{}{} {}", share.host, share.kind.empty() ? "" : " ", share.kind, number);
}

std::vector<std::string> devices_of(const results::AttemptRecord& attempt) {
  std::vector<std::string> devices;
  for (const Share& share : shares_of(attempt)) {
    for (const std::string& number : share.numbers) devices.push_back(device_name(share, number));
  }
  return devices;
}

bool follows(const std::string& number, const std::string& before) {
  const auto value = common::number_from<int>(number);
  return value && *value - 1 == common::number_from<int>(before);
}

/// "0-3,8" of 0, 1, 2, 3 and 8.
std::string ranges_of(const std::vector<std::string>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && follows(numbers[end], numbers[end - 1])) ++end;
    text += (text.empty() ? "" : ",") + numbers[i] + (end - i > 1 ? "-" + numbers[end - 1] : "");
    i = end;
  }
  return text;
}

/// A lane per GPU, and one for all cores of a node that an attempt without holds: those of a large node are many, and
/// are held together.
std::vector<std::string> lanes_of(const results::AttemptRecord& attempt) {
  std::vector<std::string> lanes;
  for (const Share& share : shares_of(attempt)) {
    if (share.kind == "cpu") {
      lanes.push_back(device_name(share, ranges_of(share.numbers)));
    } else {
      for (const std::string& number : share.numbers) lanes.push_back(device_name(share, number));
    }
  }
  return lanes;
}

/// The text with its numbers filled up, so that 10 comes after 9.
std::string sortable(const std::string& text) {
  constexpr std::size_t kDigits = 12;
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    if (end > at && end - at < kDigits) result += std::string(kDigits - (end - at), '0');
    result += text.substr(at, std::max<std::size_t>(end - at, 1));
    at = std::max(end, at + 1);
  }
  return result;
}

struct ByNumber {
  bool operator()(const std::string& a, const std::string& b) const { return sortable(a) < sortable(b); }
};
using Lanes = std::set<std::string, ByNumber>;

/// The lanes without the domains of their hosts, where they can be told apart without.
std::vector<std::string> short_names(const Lanes& lanes) {
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

double last_end(const Study& study) {
  double last = 0;
  for (const auto& attempt : study.attempts) {
    if (ended(attempt)) last = std::max(last, *attempt.ended_s);
  }
  return last;
}

struct TimeUnit {
  const char* name;
  double seconds;
};

/// In which `span_s` is a number of few digits.
TimeUnit unit_for(double span_s) {
  if (span_s < 180) return {"seconds", 1};
  if (span_s < 3 * 3600) return {"minutes", 60};
  return span_s < 4 * 86400 ? TimeUnit{"hours", 3600} : TimeUnit{"days", 86400};
}

/// Bars are drawn shorter by so much of the whole span, so that one that follows at once is seen to begin; short ones
/// keep half.
constexpr double kGap = 0.003;

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
  figure.title = study.name + ": attempts by devices";
  figure.y = {"devices", false, {}};
  figure.table.columns = {{"trial"},
                          {"label"},
                          {"attempt", Kind::kInteger},
                          {"devices"},
                          {"state"},
                          {"start_h", Kind::kNumber},
                          {"end_h", Kind::kNumber}};
  Lanes lanes;
  for (const auto& attempt : study.attempts) {
    if (!ended(attempt)) continue;
    for (std::string& lane : lanes_of(attempt)) lanes.insert(std::move(lane));
  }
  figure.y.categories = short_names(lanes);
  const double zero_s = lanes.empty() ? 0 : first_start(study);
  const double span_s = last_end(study) - zero_s;
  const TimeUnit unit = unit_for(span_s);
  figure.x = {fmt::format("{} since the first start", unit.name), false, {}};
  std::map<std::string, double> places;
  for (const std::string& lane : lanes) places.emplace(lane, static_cast<double>(places.size()));
  std::map<std::string, Series> by_state;
  for (const auto& attempt : study.attempts) {
    if (!ended(attempt)) continue;
    const std::string state{to_name(attempt.state)};
    Series& series = by_state[state];
    series.name = state;
    series.look = Series::Look::kSegments;
    const double from_s = attempt.started_s - zero_s;
    const double to_s = *attempt.ended_s - zero_s;
    const double drawn_to_s = to_s - std::min(kGap * span_s, (to_s - from_s) / 2);
    const std::string label = label_of(study, attempt.trial);
    const std::vector<std::string> own = lanes_of(attempt);
    for (const std::string& lane : own) {
      series.points.push_back({from_s / unit.seconds, places[lane], label});
      series.points.push_back({drawn_to_s / unit.seconds, places[lane], label});
    }
    figure.table.rows.push_back({attempt.trial.str(), label, common::to_int(attempt.number),
                                 fmt::format("{}", fmt::join(own, "; ")), state, from_s / 3600, to_s / 3600});
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
  for (const auto& attempt : study.attempts) {
    if (!ended(attempt)) continue;
    const std::vector<std::string> own = devices_of(attempt);
    lanes.insert(own.begin(), own.end());
    const double device_s = (*attempt.ended_s - attempt.started_s) * static_cast<double>(own.size());
    result.busy_s += device_s;
    if (was_in_vain(attempt)) result.lost_s += device_s;
  }
  result.num_devices = lanes.size();
  if (!lanes.empty()) result.makespan_s = last_end(study) - first_start(study);
  return result;
}

}  // namespace ditscale::analysis
