#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include "orchestrator/coordinator/policy.hpp"

namespace ditscale::orchestrator {

/// How a simulated trial behaves, whoever runs it when.
struct Script {
  double seconds_per_step = 1.0;
  /// Before the first step of each attempt.
  double start_up_s = 0;
  /// Failures of its own, halfway through, before it goes well.
  int num_failures = 0;
  /// Diverges halfway through.
  bool diverges = false;
  /// Of the scores after the last step, which the attempt makes that took it; and of those apart, by the next one.
  double last_scores_s = 0;
  double apart_scores_s = 0;
};

/// What befalls a simulated cluster. Means of exponential distributions; infinity: never.
struct Misfortunes {
  double node_mtbf_s = std::numeric_limits<double>::infinity();
  /// After this a lost node is back, as a new agent.
  double node_repair_s = 3600;
  /// Of each running trial: the system tells it to save and go.
  double preemption_s = std::numeric_limits<double>::infinity();
  /// Agents on whose nodes no trainer can begin.
  std::set<int> bad_agents;
};

/// What a simulation is given beside trials and nodes.
struct SimulationOptions {
  Policy policy;
  Misfortunes misfortunes;
  /// Time limit of each allocation; a study that is not complete goes on in another.
  std::optional<double> limit_s;
  /// When the user stops the study, seconds from the start; it is started again at once.
  std::vector<double> stops_s;
  /// What a trainer needs to save when it is told to stop.
  double save_s = 5;
  /// Each checkpoint is an event; else only the newest, when its attempt ends: the decisions are the same (they look at
  /// checkpoints of trials that do not run), and long trials cost less.
  bool tells_every_checkpoint = true;
  /// Compares the state after each event with what a restart would make of the records; costs a pass over all trials.
  bool checks_replay = false;
  /// Ends without the study's end after so many events, of which each attempt that a restart reads again is one.
  std::size_t max_events = std::numeric_limits<std::size_t>::max();
  std::uint64_t seed = 0;
};

}  // namespace ditscale::orchestrator
