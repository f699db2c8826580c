#pragma once

#include <vector>

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// A trial and the devices it gets; they are taken from the nodes already.
struct Placement {
  std::size_t position = 0;
  Shares shares;
};

/// Fills free devices: longest trial first; where it does not fit, shorter ones go ahead, until it was overtaken
/// `policy.max_overtakes` times: then one node that is large enough is kept free for it. A trial goes to the node it
/// leaves least free. Under a time limit nothing starts that cannot reach its next checkpoint before the end.
/// Placed trials leave the ready queue.
[[nodiscard]] std::vector<Placement> place_ready(State& state, double now_s);

}  // namespace ditscale::orchestrator
