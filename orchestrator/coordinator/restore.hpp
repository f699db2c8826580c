#pragma once

#include <unordered_map>
#include <vector>

#include "orchestrator/coordinator/actions.hpp"
#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// An attempt on record. Of one whose end was not seen, the events of its file from the newest on record on.
struct PastAttempt {
  results::AttemptRecord record;
  std::vector<common::Event> events;
};

/// What the records say of one trial.
struct PastTrial {
  results::TrialState state = results::TrialState::kPending;
  std::string reason;
  /// Oldest first.
  std::vector<PastAttempt> attempts = {};
  /// In the order of their steps.
  std::vector<results::DecisionRecord> decisions = {};
};

/// Brings `state` (fresh from `make_state`) to where the records left it. Attempts that are still "running" there are
/// closed: by the outcome in their file, or as lost. Trials in a final state stay there; the others are queued.
/// Returns what has to be recorded. Call once, before the first event.
[[nodiscard]] Actions restore(State& state, const std::unordered_map<common::TrialId, PastTrial>& past, double now_s);

/// True when no trial has anything left to do.
[[nodiscard]] inline bool nothing_to_do(const State& state) { return state.num_final == state.trials.size(); }

}  // namespace ditscale::orchestrator
