#include "orchestrator/plan/gantt.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace ditscale::orchestrator {

namespace {

constexpr std::string_view kMarks = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The first of the node's lanes that is free again.
std::vector<GanttBar>& lane_for(std::vector<std::vector<GanttBar>>& lanes, double start_s) {
  for (std::vector<GanttBar>& lane : lanes) {
    if (lane.empty() || lane.back().end_s <= start_s) return lane;
  }
  return lanes.emplace_back();
}

/// The lanes of each agent; bars name spans, not trials.
std::map<int, std::vector<std::vector<GanttBar>>> lanes_of(const Plan& plan) {
  std::map<int, std::vector<std::vector<GanttBar>>> nodes;
  for (const AgentReport& agent : plan.agents) nodes[agent.agent].emplace_back();
  const std::vector<PlannedSpan>& spans = plan.forecast.spans;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    for (const Share& share : spans[i].shares) {
      lane_for(nodes[share.agent], spans[i].start_s).push_back({i, spans[i].start_s, spans[i].end_s});
    }
  }
  return nodes;
}

/// Lists the trials of the lanes and lets the bars name them.
void name_trials(Gantt& gantt, const Plan& plan) {
  std::map<common::TrialId, std::string> labels;
  for (const PlanRow& row : plan.rows) labels[row.id] = row.label;
  std::map<std::size_t, std::size_t> trial_of;  // by the position of its span
  for (const GanttLane& lane : gantt.lanes) {
    for (const GanttBar& bar : lane.bars) trial_of[bar.trial] = 0;
  }
  for (auto& [position, trial] : trial_of) {
    trial = gantt.trials.size();
    const PlannedSpan& span = plan.forecast.spans[position];
    const char mark = trial < kMarks.size() ? kMarks[trial] : '#';
    gantt.trials.push_back({mark, span.trial, labels[span.trial], span.start_s, span.end_s});
  }
  for (GanttLane& lane : gantt.lanes) {
    for (GanttBar& bar : lane.bars) bar.trial = trial_of[bar.trial];
  }
}

}  // namespace

std::size_t Gantt::num_nodes_shown() const {
  return static_cast<std::size_t>(
      std::count_if(lanes.begin(), lanes.end(), [](const GanttLane& lane) { return lane.names_host; }));
}

std::string Gantt::cut_text() const {
  if (lanes.size() == num_lanes) return "";
  return fmt::format("showing the first {} of {} nodes ({} of {} lines)", num_nodes_shown(), num_nodes, lanes.size(),
                     num_lanes);
}

Gantt gantt_of(const Plan& plan, std::size_t max_lanes) {
  Gantt gantt;
  gantt.name = plan.name;
  gantt.makespan_s = plan.forecast.makespan_s;
  gantt.num_nodes = plan.agents.size();
  std::map<int, std::vector<std::vector<GanttBar>>> nodes = lanes_of(plan);
  for (const AgentReport& agent : plan.agents) {
    bool is_first = true;
    for (std::vector<GanttBar>& bars : nodes[agent.agent]) {
      ++gantt.num_lanes;
      if (gantt.lanes.size() < max_lanes) gantt.lanes.push_back({agent.host, is_first, std::move(bars)});
      is_first = false;
    }
  }
  name_trials(gantt, plan);
  return gantt;
}

}  // namespace ditscale::orchestrator
