#include "orchestrator/coordinator/ending.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>

#include <fmt/format.h>

#include "common/exit_code.hpp"
#include "common/trainer_exit.hpp"

namespace ditscale::orchestrator {

using results::TrialState;

namespace {

std::string death_reason(const Run& run, const TrainerEnded& ended) {
  std::string reason = ended.how;
  if (ended.code == 0) reason += ", though it had not said how the training ended: is --worker the right program?";
  if (ended.signal == SIGKILL) reason += "; the kernel does this when memory runs out";
  if (run.last_event == 0 && !ended.log_tail.empty()) reason += "; its log ends with: " + ended.log_tail;
  return reason;
}

void settle_failure(Trial& trial, const Outcome& ending, const Policy& policy, double now_s) {
  ++trial.failures;
  if (trial.failures > policy.retries) {
    trial.state = TrialState::kFailed;
    trial.reason =
        trial.failures == 1 ? ending.reason : fmt::format("{} (failed {} times)", ending.reason, trial.failures);
    return;
  }
  const double wait_s = policy.retry_wait_s * std::pow(2.0, trial.failures - 1);
  trial.not_before_s = now_s + std::min(wait_s, policy.max_retry_wait_s);
  trial.state = TrialState::kPending;
  trial.reason = fmt::format("attempt {} failed: {}; retry {} of {}", trial.num_attempts, ending.reason, trial.failures,
                             policy.retries);
}

const char* advice(const Trial& trial) {
  const bool only_scores = trial.progress.checkpoint_step >= trial.cell.trial.train.steps;
  return only_scores ? "Its training is done and scoring takes longer than it may run: draw fewer samples "
                       "(evaluate.num_samples), on more devices, or with a longer time limit"
                     : "Save more often (checkpoint.every_steps)";
}

void settle_loss(Trial& trial, const Outcome& ending, bool progressed, const Policy& policy) {
  trial.losses_without_progress = progressed ? 0 : trial.losses_without_progress + 1;
  trial.state = ending.state;
  trial.reason = ending.reason;
  if (trial.losses_without_progress < policy.max_losses_without_progress) return;
  trial.state = TrialState::kFailed;
  trial.reason = fmt::format("lost or preempted {} times in a row without reaching a new checkpoint; last: {}. {}",
                             trial.losses_without_progress, ending.reason, advice(trial));
}

}  // namespace

Outcome ending_of(const Run& run, const TrainerEnded& ended) {
  if (run.outcome) return *run.outcome;
  if (ended.silent_s) return {TrialState::kFailed, fmt::format("hung: no event for {:.0f} s", *ended.silent_s)};
  if (run.stop != StopKind::kNone && ended.signal) {
    return {TrialState::kPreempted, fmt::format("stopped on request before it had saved ({})", ended.how)};
  }
  if (ended.code == common::to_int(common::ExitCode::kIncomplete))
    return {TrialState::kPreempted, "ended with the exit code of a preemption"};
  if (ended.code == common::kDivergedExit)
    return {TrialState::kDiverged, "ended with the exit code of a diverged training"};
  if (ended.code == common::kDiskRefusedExit)
    return {TrialState::kLost, "its disk took nothing more: " + death_reason(run, ended), /*disk_refused=*/true};
  return {TrialState::kFailed, death_reason(run, ended)};
}

void settle(Trial& trial, const Outcome& ending, std::int64_t first_checkpoint_step, const Policy& policy,
            double now_s) {
  const bool progressed = trial.progress.checkpoint_step > first_checkpoint_step;
  trial.not_before_s = 0;
  switch (ending.state) {
    case TrialState::kFailed:
      return settle_failure(trial, ending, policy, now_s);
    case TrialState::kPreempted:
    case TrialState::kLost:
      return settle_loss(trial, ending, progressed, policy);
    default:
      trial.state = ending.state;
      trial.reason = ending.reason;
  }
}

}  // namespace ditscale::orchestrator
