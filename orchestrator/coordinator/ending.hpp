#pragma once

#include <optional>

#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/coordinator/policy.hpp"
#include "orchestrator/coordinator/trial.hpp"

namespace ditscale::orchestrator {

/// What an attempt's end means. The trainer's own word (its outcome event) counts more than its exit code; a death
/// without a word is the trial's failure, unless a stop was asked for.
[[nodiscard]] Outcome ending_of(const Run& run, const TrainerEnded& ended);

/// Counts an ended attempt and decides how the trial goes on: final, or to be tried again (pending, preempted, lost).
/// Sets state, reason, counters and `not_before_s` of the trial; the attempt's own state is `ending.state`.
/// `first_checkpoint_step` is what the attempt started from.
void settle(Trial& trial, const Outcome& ending, std::int64_t first_checkpoint_step, const Policy& policy,
            double now_s);

}  // namespace ditscale::orchestrator
