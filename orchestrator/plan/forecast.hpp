#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "orchestrator/coordinator/events.hpp"
#include "sweeps/spec/speed.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// A trial that can run, and how long it is predicted to.
struct PlannedTrial {
  sweeps::Cell cell;
  double predicted_s = 0;
};

/// Where and when a trial is expected to run; seconds from the start.
struct PlannedSpan {
  common::TrialId trial;
  Shares shares;
  double start_s = 0;
  double end_s = 0;
};

/// What failures the forecast is to reckon with: none by default.
struct FailureQuestion {
  /// Runs to simulate, each with luck of its own.
  int num_runs = 0;
  /// Mean time between failures of one node. Three weeks: what large clusters of GPU nodes report is days to months.
  double node_mtbf_s = 21 * 86'400.0;
};

/// How the coordinator would run the trials.
struct Forecast {
  /// By start.
  std::vector<PlannedSpan> spans;
  double makespan_s = 0;
  /// One for each run with failures, shortest first; infinity: the run does not finish, as a trial is lost again and
  /// again before its next checkpoint.
  std::vector<double> with_failures_s;
  /// A run with failures was too long to be simulated to its end, so there are none.
  bool failures_cut_short = false;
};

/// Runs the coordinator's decisions on a simulated cluster of these nodes. Trials must fit there. `speeds` are those
/// the coordinator would know.
[[nodiscard]] Forecast forecast(const std::vector<PlannedTrial>& trials, const std::vector<AgentReport>& agents,
                                const std::map<Ask, sweeps::Speed>& speeds, const FailureQuestion& failures);

/// What the runs with failures come to: a line of text, empty when none was asked for.
[[nodiscard]] std::string failures_text(const Forecast& forecast);
/// Their seconds, shortest first, null for a run that does not finish; null when they were cut short.
[[nodiscard]] common::Json failures_json(const Forecast& forecast);

/// Of values in order; the nearest rank. `values` is not empty.
[[nodiscard]] double quantile(const std::vector<double>& values, double share);

}  // namespace ditscale::orchestrator
