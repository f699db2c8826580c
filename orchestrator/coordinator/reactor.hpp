#pragma once

#include "orchestrator/coordinator/actions.hpp"
#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// The coordinator's every decision: what `event` at `now_s` (never going back) changes, and what is to be done.
/// Pure apart from `state`: the same inputs give the same actions. After Finish there are no more actions.
[[nodiscard]] Actions react(State& state, ClusterEvent event, double now_s);

}  // namespace ditscale::orchestrator
