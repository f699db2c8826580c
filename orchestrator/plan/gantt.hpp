#pragma once

#include <string>
#include <vector>

#include "orchestrator/plan/plan.hpp"

namespace ditscale::orchestrator {

/// A trial on one node; seconds from the start.
struct GanttBar {
  /// Of Gantt::trials.
  std::size_t trial = 0;
  double start_s = 0;
  double end_s = 0;
};

/// Bars on one node that do not overlap. A node has as many lanes as trials run there side by side, but one at least.
struct GanttLane {
  std::string host;
  /// The first of its node.
  bool names_host = false;
  /// By start.
  std::vector<GanttBar> bars;
};

struct GanttTrial {
  /// What stands in its bars: a letter or a digit, or '#' for those beyond the 62nd.
  char mark = '#';
  common::TrialId id;
  std::string label;
  double start_s = 0;
  double end_s = 0;
};

/// A plan's schedule as lanes over time.
struct Gantt {
  std::string name;
  double makespan_s = 0;
  std::vector<GanttLane> lanes;
  /// Of the lanes, by start.
  std::vector<GanttTrial> trials;
  /// Before they were cut.
  std::size_t num_lanes = 0;
  std::size_t num_nodes = 0;

  [[nodiscard]] std::size_t num_nodes_shown() const;
  /// "showing the first 3 of 16 nodes (24 of 128 lines)"; empty when all is shown.
  [[nodiscard]] std::string cut_text() const;
};

/// Lanes in the order of the plan's nodes, at most `max_lanes`.
[[nodiscard]] Gantt gantt_of(const Plan& plan, std::size_t max_lanes);

/// A chart of at most `columns` columns (40 at least) with a time axis above and a legend below.
[[nodiscard]] std::string gantt_text(const Gantt& gantt, std::size_t columns);

/// The same as a picture for a page 960 wide.
[[nodiscard]] std::string gantt_svg(const Gantt& gantt);

}  // namespace ditscale::orchestrator
