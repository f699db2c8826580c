#pragma once

#include <string>

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// What is to come if all predictions are right and nothing fails: the scheduler's decisions run ahead on what is left
/// (rehearsal.hpp). Of very many trials, the bound that no schedule beats, and who goes before all others.
struct Outlook {
  /// Until the last trial ends. Running trials end by their own pace.
  double left_s = 0;
  /// The trial that starts next: "next: 3f2a9c1b seed=1 in about 2 min 10 s"; empty when nothing is queued, or when the
  /// study stops.
  std::string next;
};
[[nodiscard]] Outlook look_ahead(const State& state, double now_s);

/// "3 of 4 cpus and 1 of 2 gpus busy"; of all nodes together, and without GPUs where there are none.
[[nodiscard]] std::string utilisation_text(const Nodes& nodes);

}  // namespace ditscale::orchestrator
