#include <algorithm>
#include <cmath>
#include <csignal>

#include "orchestrator/coordinator/score_entry.hpp"
#include "orchestrator/simulation/simulated_cluster.hpp"

namespace ditscale::orchestrator {

namespace {

/// The trainer's exit codes; part of its contract.
constexpr int kSucceeded = 0;
constexpr int kFailed = 1;
constexpr int kPreempted = 4;
constexpr int kDiverged = 6;
/// From the start of a trainer that cannot begin to its end.
constexpr double kFalseStart_s = 0.5;

}  // namespace

void SimulatedCluster::perform(const StartTrainer& start) {
  ++starts_in_round_;
  const AttemptKey key{start.trial, start.attempt};
  Trainer trainer;
  trainer.shares = start.shares;
  trainer.position = state_.positions.at(start.trial);
  trainer.first_step = disk_.checkpoints[start.trial];
  trainer.started_s = now_s_;
  trainer.ready_s = now_s_ + script_of(trainer).start_up_s;
  trainer.next_step = trainer.first_step;
  const bool can_begin = options_.misfortunes.bad_agents.count(trainer.shares.front().agent) == 0;
  trainers_[key] = std::move(trainer);
  if (!can_begin) return push(now_s_ + kFalseStart_s, Happening::kFalseStart, key);
  plan_step(key);
  if (!std::isfinite(options_.misfortunes.preemption_s)) return;
  push(now_s_ + draw_s(options_.misfortunes.preemption_s), Happening::kPreempted, key);
}

void SimulatedCluster::perform(const StopTrainer& stop) {
  const AttemptKey key{stop.trial, stop.attempt};
  const auto trainer = trainers_.find(key);
  if (trainer == trainers_.end()) return;
  if (stop.kind == StopKind::kKill) return push(now_s_, Happening::kKilled, key);
  if (!trainer->second.is_broken) push(now_s_ + options_.save_s, Happening::kSaved, key);
}

/// The next thing it does on its own: a checkpoint, its planned failure, or its end.
void SimulatedCluster::plan_step(const AttemptKey& key) {
  Trainer& trainer = trainers_.at(key);
  const sweeps::TrialSpec& trial = cells_[trainer.position].trial;
  std::int64_t next = trial.train.steps;
  if (options_.tells_every_checkpoint) next = next_save(trial, trainer.next_step);
  if (is_to_fail(trainer)) next = std::min(next, fail_step(trainer));
  trainer.next_step = next;
  const auto steps = static_cast<double>(next - trainer.first_step);
  push(trainer.ready_s + steps * script_of(trainer).seconds_per_step, Happening::kStep, key);
}

void SimulatedCluster::do_step(const AttemptKey& key) {
  const Trainer& trainer = trainers_.at(key);
  if (trainer.is_broken) return;
  const sweeps::TrialSpec& trial = cells_[trainer.position].trial;
  if (is_to_fail(trainer) && trainer.next_step == fail_step(trainer)) {
    if (!options_.tells_every_checkpoint) tell_newest_checkpoint(key);
    if (script_of(trainer).diverges) return end(key, "diverged", kDiverged);
    ++disk_.failures[key.trial];
    return end(key, "failed", kFailed);
  }
  save(key, trainer.next_step);
  if (trainers_.count(key) == 0) return;  // the coordinator died of it
  if (trainers_.at(key).next_step == trial.train.steps) return begin_last_scores(key);
  plan_step(key);
}

void SimulatedCluster::begin_last_scores(const AttemptKey& key) {
  const Trainer& trainer = trainers_.at(key);
  const Script& script = script_of(trainer);
  double seconds = disk_.scored.count(key.trial) != 0 ? 0.0 : script.last_scores_s;
  if (!has_trained(trainer)) seconds += script.apart_scores_s;
  if (seconds == 0) return end_last_scores(key);
  push(now_s_ + seconds, Happening::kScored, key);
}

/// One that has trained leaves the scores that are made apart to the next attempt.
void SimulatedCluster::end_last_scores(const AttemptKey& key) {
  const Trainer& trainer = trainers_.at(key);
  if (trainer.is_broken) return;
  const bool leaves_scores = has_trained(trainer) && script_of(trainer).apart_scores_s > 0;
  const sweeps::TrialSpec& trial = cells_[trainer.position].trial;
  if (disk_.scored.insert(key.trial).second) {
    for (const sweeps::EvaluateSpec& entry : trial.evaluate) {
      if (entry.apart || trainers_.count(key) == 0) continue;
      speak(key, "evaluation", {{"step", trial.train.steps}, {"settings", settings_of(entry)}});
    }
  }
  leaves_scores ? end(key, "preempted", kPreempted) : end(key, "succeeded", kSucceeded);
}

void SimulatedCluster::save_and_end(const AttemptKey& key) {
  const Trainer& trainer = trainers_.at(key);
  if (trainer.is_broken) return;
  save(key, step_now(trainer));
  end(key, "preempted", kPreempted);
}

void SimulatedCluster::end_before_begin(const AttemptKey& key) {
  ++num_false_starts_;
  be_gone(key, {key.trial, key.attempt, kFailed, std::nullopt, "exit code 1", {}, {}});
}

void SimulatedCluster::kill(const AttemptKey& key) {
  if (!options_.tells_every_checkpoint && !trainers_.at(key).is_broken) tell_newest_checkpoint(key);
  be_gone(key, {key.trial, key.attempt, std::nullopt, SIGKILL, "signal 9 (Killed)", {}, {}});
}

void SimulatedCluster::save(const AttemptKey& key, std::int64_t step) {
  std::int64_t& newest = disk_.checkpoints[key.trial];
  if (step <= newest) return;
  newest = step;
  speak(key, "checkpoint", {{"step", step}});
}

void SimulatedCluster::tell_newest_checkpoint(const AttemptKey& key) {
  const Trainer& trainer = trainers_.at(key);
  const sweeps::TrialSpec& trial = cells_[trainer.position].trial;
  const std::int64_t step = step_now(trainer);
  std::int64_t newest = step / trial.checkpoint.every_steps * trial.checkpoint.every_steps;
  for (const sweeps::EvaluateSpec& entry : trial.evaluate) {
    if (!entry.apart) newest = std::max(newest, step / entry.every_steps * entry.every_steps);
  }
  save(key, newest);
}

/// The file first, as a trainer does; then, when someone listens, the pipe.
void SimulatedCluster::speak(const AttemptKey& key, const std::string& kind, common::Json body) {
  auto& file = disk_.event_files[key];
  common::Event event;
  event.number = std::ssize(file) + 1;
  event.time_s = now_s_;
  event.kind = kind;
  event.body = std::move(body);
  file.push_back(event);
  deliver(TrainerSpoke{key.trial, key.attempt, event});
}

void SimulatedCluster::end(const AttemptKey& key, const std::string& outcome, int code) {
  if (trainers_.count(key) == 0) return;
  speak(key, "outcome", {{"state", outcome}, {"reason", "by its script"}});
  be_gone(key, {key.trial, key.attempt, code, std::nullopt, "", {}, {}});
}

void SimulatedCluster::be_gone(const AttemptKey& key, const TrainerEnded& ended) {
  release(key);
  deliver(ended);
}

void SimulatedCluster::release(const AttemptKey& key) {
  const Trainer trainer = std::move(trainers_.extract(key).mapped());
  ledger_.ended(key.trial, trainer.shares, now_s_ - trainer.started_s);
  spans_.push_back({trainer.position, trainer.shares, trainer.started_s - kStart_s, now_s_ - kStart_s});
}

bool SimulatedCluster::has_trained(const Trainer& trainer) const {
  return trainer.first_step < cells_[trainer.position].trial.train.steps;
}

bool SimulatedCluster::is_to_fail(const Trainer& trainer) const {
  const Script& script = script_of(trainer);
  const auto known = disk_.failures.find(cells_[trainer.position].id);
  const int failures = known == disk_.failures.end() ? 0 : known->second;
  return trainer.first_step < fail_step(trainer) && (script.diverges || failures < script.num_failures);
}

std::int64_t SimulatedCluster::fail_step(const Trainer& trainer) const {
  return std::max<std::int64_t>(1, cells_[trainer.position].trial.train.steps / 2);
}

/// Steps it has behind it now; one that is to fail never has saved the step at which it does.
std::int64_t SimulatedCluster::step_now(const Trainer& trainer) const {
  const double steps = std::floor((now_s_ - trainer.ready_s) / script_of(trainer).seconds_per_step);
  const std::int64_t done = trainer.first_step + std::max<std::int64_t>(0, static_cast<std::int64_t>(steps));
  const std::int64_t last = is_to_fail(trainer) ? fail_step(trainer) - 1 : cells_[trainer.position].trial.train.steps;
  return std::min(done, last);
}

const Script& SimulatedCluster::script_of(const Trainer& trainer) const {
  static const Script kDefault;
  const auto found = scripts.find(cells_[trainer.position].id);
  return found == scripts.end() ? kDefault : found->second;
}

}  // namespace ditscale::orchestrator
