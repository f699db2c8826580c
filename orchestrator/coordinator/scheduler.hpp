#pragma once

#include <vector>

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// A trial and the devices it gets; they are taken from the nodes already.
struct Placement {
  std::size_t position = 0;
  Shares shares;
};

/// Fills free devices, in the order of `goes_before`. The first trial that finds no room reserves the nodes where it
/// will find it first (by the predicted ends of what runs there); others go ahead when they are predicted to end before
/// that, or leave it enough ("EASY" backfilling: D. A. Lifka, The ANL/IBM SP scheduling system, 1995). Predictions may
/// be wrong: after `policy.max_overtakes` starts on its reserved nodes nothing more is put in its way; and a trial
/// further back that was overtaken so often gets a reservation too. Placed trials leave the ready queue, as do those
/// that can no longer reach their next checkpoint before the time limit.
[[nodiscard]] std::vector<Placement> place_ready(State& state, double now_s);

}  // namespace ditscale::orchestrator
