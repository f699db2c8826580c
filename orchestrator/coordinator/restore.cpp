#include "orchestrator/coordinator/restore.hpp"

#include <algorithm>

#include "orchestrator/coordinator/ending.hpp"

namespace ditscale::orchestrator {

using results::TrialState;

namespace {

constexpr const char* kLostReason = "the run ended (killed, or its node was lost) while this attempt was under way";

std::optional<Outcome> outcome_in(const std::vector<common::Event>& events) {
  std::optional<Outcome> outcome;
  for (const common::Event& event : events) {
    if (auto found = outcome_of(event)) outcome = std::move(found);
  }
  return outcome;
}

/// Last sign of life of an attempt whose end nobody saw.
double last_seen_s(const PastAttempt& attempt) {
  return attempt.events.empty() ? attempt.record.started_s
                                : std::max(attempt.record.started_s, attempt.events.back().time_s);
}

void note(Trial& trial, const results::DecisionRecord& decision) {
  if (!decision.kept) trial.stopped_early = "stopped early: " + decision.text();
}

/// Takes in what nobody has heard yet; early stopping judges it as if it were said now.
void ingest_all(State& state, Trial& trial, const PastAttempt& attempt, double now_s, Actions& actions) {
  for (const common::Event& event : attempt.events) {
    if (event.number <= attempt.record.last_event) continue;
    actions.push_back(Ingest{{attempt.record.trial, attempt.record.number, event}});
    if (!state.halving) continue;
    for (results::DecisionRecord& decision : state.halving->judge(trial.cell, event, now_s)) {
      note(trial, decision);
      actions.push_back(PutDecision{std::move(decision)});
    }
  }
}

/// Takes one attempt into the trial's counters; closes it when it is still open.
void replay(State& state, Trial& trial, const PastAttempt& attempt, double now_s, Actions& actions) {
  // It had failed by its losses, and someone gave it another attempt.
  if (trial.losses_without_progress >= state.policy.max_losses_without_progress) trial.losses_without_progress = 0;
  const std::int64_t first_checkpoint_step = trial.progress.checkpoint_step;
  trial.progress.checkpoint_step = std::max(trial.progress.checkpoint_step, attempt.record.checkpoint_step);
  for (const common::Event& event : attempt.events) absorb(trial.progress, event);
  trial.progress.images_per_s.reset();
  trial.num_attempts = std::max(trial.num_attempts, common::to_int(attempt.record.number));
  ingest_all(state, trial, attempt, now_s, actions);

  Outcome ending{attempt.record.state, attempt.record.reason};
  const double ended_s = attempt.record.ended_s.value_or(last_seen_s(attempt));
  if (attempt.record.state == TrialState::kRunning) {
    ending = outcome_in(attempt.events).value_or(Outcome{TrialState::kLost, kLostReason});
    actions.push_back(EndAttempt{attempt.record.trial, attempt.record.number, ending.state, ending.reason, ended_s});
  }
  trial.progress.seconds += ended_s - attempt.record.started_s;
  settle(trial, ending, first_checkpoint_step, state.policy, now_s);
}

/// A final trial that is on record as waiting was given another attempt by someone: one more failure ends it again.
bool asked_for_again(const Trial& trial, const PastTrial& past) {
  // Attempts that are still open on record were never judged, so the trial's state there says nothing.
  const bool judged = std::none_of(past.attempts.begin(), past.attempts.end(), [](const PastAttempt& attempt) {
    return attempt.record.state == TrialState::kRunning;
  });
  return past.state == TrialState::kPending && judged && results::is_final(trial.state) &&
         trial.state != TrialState::kSucceeded;
}

void recall_decisions(State& state, Trial& trial, const std::vector<results::DecisionRecord>& decisions) {
  for (const results::DecisionRecord& decision : decisions) {
    if (state.halving) state.halving->remember(trial.cell, decision);
    note(trial, decision);
  }
}

void restore_trial(State& state, Trial& trial, const PastTrial& past, double now_s, Actions& actions) {
  for (const PastAttempt& attempt : past.attempts) replay(state, trial, attempt, now_s, actions);
  if (asked_for_again(trial, past)) {
    trial.state = past.state;
    trial.reason = past.reason;
    trial.failures = std::min(trial.failures, state.policy.retries);
    trial.losses_without_progress = 0;
  }
  if (trial.stopped_early && !results::is_final(trial.state)) {
    trial.state = TrialState::kCancelled;
    trial.reason = *trial.stopped_early;
  }
  // A failure is judged anew: a larger budget of retries opens the trial again.
  const bool reopened = past.state == TrialState::kFailed && !past.attempts.empty() && !results::is_final(trial.state);
  if (results::is_final(past.state) && !reopened) {
    trial.state = past.state;
    trial.reason = past.reason;
    return;
  }
  // The wait before a retry was there for devices to come to rest; a restart is rest enough.
  trial.not_before_s = 0;
  if (trial.state != past.state || trial.reason != past.reason) {
    actions.push_back(SetTrialState{trial.cell.id, trial.state, trial.reason, now_s});
  }
}

}  // namespace

Actions restore(State& state, const std::unordered_map<common::TrialId, PastTrial>& past, double now_s) {
  Actions actions;
  for (Trial& trial : state.trials) {
    const auto known = past.find(trial.cell.id);
    if (known != past.end()) recall_decisions(state, trial, known->second.decisions);
  }
  for (std::size_t position = 0; position < state.trials.size(); ++position) {
    Trial& trial = state.trials[position];
    const auto known = past.find(trial.cell.id);
    if (known != past.end()) restore_trial(state, trial, known->second, now_s, actions);
    if (results::is_final(trial.state)) {
      ++state.num_final;
    } else {
      enqueue(state, position, now_s);
    }
  }
  return actions;
}

}  // namespace ditscale::orchestrator
