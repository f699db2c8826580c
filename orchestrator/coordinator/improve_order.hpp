#pragma once

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// Tries orders on what is left (`rehearse`) and keeps the one by which all is over soonest: when nodes came or went,
/// predictions changed, or a third of what was queued at the last try has started; else it returns at once. An order
/// is judged by the predicted times and by some in which each prediction is off by a fifth, so that it does not depend
/// on their being right. A hill is climbed by random changes of the order's numbers, always the same for the same
/// state, unless the order at hand ends close to the bound; so many trials are placed at most that the coordinator is
/// not held up (some 50 ms). With very many queued trials it does nothing: there the order hardly shows.
void improve_order(State& state, double now_s);

}  // namespace ditscale::orchestrator
