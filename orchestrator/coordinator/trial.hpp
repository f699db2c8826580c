#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/coordinator/actions.hpp"
#include "orchestrator/coordinator/devices.hpp"
#include "results/records.hpp"
#include "sweeps/spec/cost.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// How a trainer says it ended.
struct Outcome {
  results::TrialState state = results::TrialState::kFailed;
  std::string reason;
  /// The disk took nothing more of what it wrote: no trial would fare better.
  bool disk_refused = false;
};

/// One entry of `evaluate`, and the steps whose scores by it were heard of.
struct EntryScores {
  sweeps::EvaluateSpec entry;
  std::set<std::int64_t> steps;
};

/// How far a trial has come, over all its attempts. For people and for predictions, not for decisions about its state.
struct Progress {
  std::int64_t step = 0;
  std::optional<double> loss;
  std::optional<double> images_per_s;
  /// The newest checkpoint's step: what a further attempt starts from.
  std::int64_t checkpoint_step = 0;
  /// The newest one that is_shown_fid.
  std::optional<double> fid;
  /// In the order of `evaluate`. After a restart of the coordinator, only what was said since.
  std::vector<EntryScores> scores;
  /// Seconds of all ended attempts.
  double seconds = 0;
};

/// The attempt that runs now.
struct Run {
  common::AttemptNumber attempt{1};
  Shares shares;
  double started_s = 0;
  /// Time in which it was suspended with all the others.
  double stood_still_s = 0;
  std::int64_t first_checkpoint_step = 0;
  std::int64_t last_event = 0;
  /// It has said something else than that it failed.
  bool has_begun = false;
  std::optional<Outcome> outcome;
  StopKind stop = StopKind::kNone;
  [[nodiscard]] int leader() const { return shares.front().agent; }
  /// When a trainer that was asked to stop is killed.
  double kill_at_s = std::numeric_limits<double>::infinity();
};

/// One cell of the sweep as the coordinator sees it.
struct Trial {
  sweeps::Cell cell;
  /// With as many processes as the nodes that are left can hold.
  Ask ask;
  /// Its place in State::elastic; empty when it takes all its processes or none.
  std::optional<std::size_t> elastic;
  /// At the rates known now: where its seconds go, and all of them, from its start to its last score.
  sweeps::TrialTime time;
  double predicted_s = 0;

  results::TrialState state = results::TrialState::kPending;
  std::string reason;
  std::int32_t num_attempts = 0;
  /// Failures of its own.
  int failures = 0;
  /// Losses and preemptions in a row without a new checkpoint.
  int losses_without_progress = 0;
  /// A retry waits until then.
  double not_before_s = 0;
  /// Trials that started ahead of it while it was the first of its kind and found no room.
  int overtaken = 0;
  /// Why it was stopped early; that is no failure.
  std::optional<std::string> stopped_early;
  Progress progress;
  std::optional<Run> run;

  /// It has ended otherwise than its sweep wanted.
  [[nodiscard]] bool ended_badly() const {
    const bool as_decided = state == results::TrialState::kCancelled && stopped_early;
    return results::is_final(state) && state != results::TrialState::kSucceeded && !as_decided;
  }

  /// Seconds that an attempt from its newest checkpoint takes to the end, with its start.
  [[nodiscard]] double remaining_s() const;
  /// Seconds of training and of scores that are left after `step`. Scores during the training are made where they are
  /// due, so those before `step` are there; of those apart, the ones that were heard of.
  [[nodiscard]] double work_left_s(std::int64_t step) const;
  /// Seconds of training from a start to its next checkpoint. The trainer saves before it scores, and keeps what it has
  /// drawn of samples: scores are not in it.
  [[nodiscard]] double next_checkpoint_s() const;
};

/// The first step after `step` at which the trainer saves: for safety, before it scores, or at the end.
[[nodiscard]] std::int64_t next_save(const sweeps::TrialSpec& trial, std::int64_t step);

/// Takes an event's facts into the progress.
void absorb(Progress& progress, const common::Event& event);

/// The outcome that an event declares; empty for other events, failed for an outcome this version does not know.
[[nodiscard]] std::optional<Outcome> outcome_of(const common::Event& event);

}  // namespace ditscale::orchestrator
