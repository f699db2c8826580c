#pragma once

#include <string>

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// What is to come.
struct Outlook {
  /// Until the last trial ends.
  double left_s = 0;
  /// "next: 3f2a9c1b seed=1 in about 2 min 10 s"; empty when nothing is queued.
  std::string next;
};
[[nodiscard]] Outlook look_ahead(const State& state, double now_s);

/// "3 of 4 cpus and 1 of 2 gpus busy"; of all nodes together, and without GPUs where there are none.
[[nodiscard]] std::string utilisation_text(const Nodes& nodes);

/// The queued trial that goes before all others (the highest priority, then the longest), and when the nodes will have
/// room for it by the predicted ends of what runs there; without one, the first retry and the end of its wait. Empty
/// when neither is there or the study stops.
[[nodiscard]] std::string next_text(const State& state, double now_s);

}  // namespace ditscale::orchestrator
