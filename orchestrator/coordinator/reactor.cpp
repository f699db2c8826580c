#include "orchestrator/coordinator/reactor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "common/error.hpp"
#include "orchestrator/coordinator/ending.hpp"
#include "orchestrator/coordinator/improve_order.hpp"
#include "orchestrator/coordinator/scheduler.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;
using results::TrialState;

namespace {

/// Applies one event; then, whatever it was, starts what can start and sees whether all is over.
class Reaction {
 public:
  Reaction(State& state, double now_s) : state_(state), now_s_(now_s) {}

  Actions run(ClusterEvent& event) {
    if (state_.finished) return {};
    std::visit([this](auto& each) { on(each); }, event);
    stop_at_time_limit();
    kill_overdue();
    // What a trainer says frees no device, and there may be many thousands of words a second.
    if (!std::holds_alternative<TrainerSpoke>(event)) {
      wake_waiting(state_, now_s_);
      state_.nodes.wake_rested(now_s_);
      start_ready();
    }
    finish_if_over();
    return std::move(actions_);
  }

 private:
  void on(const AgentsJoined& joined) {
    for (const AgentReport& report : joined.agents) {
      DITSCALE_CHECK(state_.nodes.add(report.agent, report.node_name(), report.devices), "agent {} joined twice",
                     report.agent);
      const DeviceCount devices = count_of(report.devices);
      actions_.push_back(JoinNode{{now_s_, report.agent, report.host, devices.cpus, devices.gpus, std::nullopt}});
    }
    fit_to_nodes(state_);
  }

  void on(const AgentLost& lost) {
    if (!state_.nodes.contains(lost.agent)) return;
    const std::vector<Tenant> tenants = state_.nodes.at(lost.agent).tenants;
    for (const Tenant& tenant : tenants) lose_node_of(state_.trials[tenant.position], lost);
    state_.nodes.remove(lost.agent);
    actions_.push_back(LeaveNode{lost.agent, now_s_});
    drop_lost(state_.reservations, state_.nodes);
    fit_to_nodes(state_);
    if (state_.nodes.empty()) state_.stopping = true;
  }

  /// A gang whose first node still stands is killed there, and holds its other devices until it has ended.
  void lose_node_of(Trial& trial, const AgentLost& lost) {
    const Outcome ending = trial.run->outcome.value_or(Outcome{TrialState::kLost, lost.reason});
    if (trial.run->leader() == lost.agent) return end_run(trial, ending);
    trial.run->outcome = ending;
    stop(trial, StopKind::kKill);
  }

  /// Takes the event out of `spoke`.
  void on(TrainerSpoke& spoke) {
    Trial* trial = find_trial(state_, spoke.trial);
    if (trial == nullptr) return;
    const bool current = trial->run && trial->run->attempt == spoke.attempt;
    if (current && spoke.event.number <= trial->run->last_event) return;  // known from the pipe or the file
    std::vector<results::DecisionRecord> decisions;
    if (current) {
      trial->run->last_event = spoke.event.number;
      absorb(trial->progress, spoke.event);
      const auto outcome = outcome_of(spoke.event);
      if (outcome) trial->run->outcome = outcome;
      if (!outcome || outcome->state != TrialState::kFailed) note_begin(*trial->run);
      if (state_.halving) decisions = state_.halving->judge(trial->cell, spoke.event, now_s_);
    } else {
      accept_late_success(*trial, spoke);
    }
    actions_.push_back(Ingest{{std::move(spoke.trial), spoke.attempt, std::move(spoke.event)}});
    for (results::DecisionRecord& decision : decisions) obey(*trial, std::move(decision));
  }

  /// Stops a trial that has fallen behind the others.
  void obey(Trial& trial, results::DecisionRecord decision) {
    if (!decision.kept) {
      trial.stopped_early = "stopped early: " + decision.text();
      stop(trial, StopKind::kCheckpoint);
    }
    actions_.push_back(PutDecision{std::move(decision)});
  }

  /// A trainer that was taken for lost has finished after all; it counts as long as no newer attempt has started.
  void accept_late_success(Trial& trial, const TrainerSpoke& spoke) {
    const auto outcome = outcome_of(spoke.event);
    const bool newest = !trial.run && common::to_int(spoke.attempt) == trial.num_attempts;
    if (!outcome || outcome->state != TrialState::kSucceeded || !newest || results::is_final(trial.state)) return;
    const std::size_t position = position_of(trial);
    if (state_.waiting.erase({trial.not_before_s, position}) == 0) dequeue(state_, position);
    trial.state = TrialState::kSucceeded;
    trial.reason = outcome->reason;
    ++state_.num_final;
    actions_.push_back(EndAttempt{spoke.trial, spoke.attempt, trial.state, trial.reason, now_s_});
    record_state(trial);
  }

  void on(const TrainerEnded& ended) {
    Trial* trial = find_trial(state_, ended.trial);
    if (trial == nullptr || !trial->run || trial->run->attempt != ended.attempt) return;  // superseded
    const Outcome ending = ending_of(*trial->run, ended);
    const Run run = *trial->run;
    const Ask ask = trial->ask;
    end_run(*trial, ending);
    if (ending.state == TrialState::kFailed && !run.has_begun) suspect_node(run, ask);
    if (ending.disk_refused) give_up(fmt::format("trial {}: {}", ended.trial.brief(), ending.reason));
  }

  /// The other trainers save where they can.
  void give_up(std::string trouble) {
    if (state_.trouble) return;
    state_.trouble = trouble;
    state_.stopping = true;
    actions_.push_back(GiveUp{std::move(trouble)});
    stop_all(StopKind::kCheckpoint);
  }

  void note_begin(Run& run) {
    if (std::exchange(run.has_begun, true)) return;
    for (const Share& share : run.shares) {
      if (state_.nodes.contains(share.agent)) state_.nodes.is_well(share.agent);
    }
  }

  /// Which node of several a gang failed by is not known.
  void suspect_node(const Run& run, const Ask& ask) {
    if (run.shares.size() > 1 || !state_.nodes.contains(run.leader())) return;
    const Policy& policy = state_.policy;
    const int agent = run.leader();
    const int num = state_.nodes.count_false_start(agent);
    if (num < policy.max_false_starts || !state_.nodes.another_can_hold(ask, agent)) return;
    const double rest_s = std::min(policy.rest_s * std::pow(2.0, num - policy.max_false_starts), policy.max_rest_s);
    state_.nodes.rest(agent, now_s_ + rest_s);
    actions_.push_back(RestNode{run.shares.front().host, num, rest_s});
  }

  void on(const StopRequested& request) {
    state_.stopping = true;
    stop_all(request.at_once ? StopKind::kKill : StopKind::kCheckpoint);
  }

  void on(const SpeedMeasured& measured) {
    state_.speeds[measured.ask] = measured.speed;
    predict_all(state_);
  }

  /// Nobody could save meanwhile, and a batch system does not count the time either.
  void on(const StoodStill& still) {
    state_.kill_times.clear();
    for (const std::size_t position : state_.running) {
      Run& run = *state_.trials[position].run;
      run.stood_still_s += still.seconds;
      actions_.push_back(CountStandstill{state_.trials[position].cell.id, run.attempt, still.seconds});
      if (run.stop != StopKind::kCheckpoint) continue;
      run.kill_at_s += still.seconds;
      state_.kill_times.emplace(run.kill_at_s, position);
    }
    if (!state_.stop_at_s) return;
    *state_.stop_at_s += still.seconds;
    *state_.end_s += still.seconds;
    predict_all(state_);  // the queue is ordered by the time limit too
  }

  void on(const Tick&) {}

  void end_run(Trial& trial, Outcome ending) {
    const bool by_itself = ending.state == TrialState::kSucceeded || ending.state == TrialState::kDiverged;
    if (trial.stopped_early && !by_itself) ending = {TrialState::kCancelled, *trial.stopped_early};
    const Run run = *std::exchange(trial.run, std::nullopt);
    const std::size_t position = position_of(trial);
    for (const Share& share : run.shares) {
      if (state_.nodes.contains(share.agent)) state_.nodes.give_back(share.agent, position, share.devices);
    }
    state_.running.erase(position);
    state_.kill_times.erase({run.kill_at_s, position});
    trial.progress.seconds += now_s_ - run.started_s - run.stood_still_s;
    trial.progress.images_per_s.reset();
    fit_to_nodes(state_, position);
    settle(trial, ending, run.first_checkpoint_step, state_.policy, now_s_);
    actions_.push_back(EndAttempt{trial.cell.id, run.attempt, ending.state, ending.reason, now_s_});
    record_state(trial);
    if (results::is_final(trial.state)) {
      ++state_.num_final;
    } else {
      enqueue(state_, position, now_s_);
    }
  }

  void start_ready() {
    improve_order(state_, now_s_);
    for (Placement& placement : place_ready(state_, now_s_)) start(placement);
  }

  void start(Placement& placement) {
    Trial& trial = state_.trials[placement.position];
    trial.progress.step = trial.progress.checkpoint_step;  // the attempt before may have come further
    Run run;
    run.attempt = common::AttemptNumber{++trial.num_attempts};
    run.shares = std::move(placement.shares);
    run.started_s = now_s_;
    run.first_checkpoint_step = trial.progress.checkpoint_step;
    results::AttemptRecord record;
    record.trial = trial.cell.id;
    record.number = run.attempt;
    record.host = hosts_text(run.shares);
    record.devices = devices_text(run.shares);
    record.predicted_s = trial.remaining_s();
    record.started_s = now_s_;
    trial.state = TrialState::kRunning;
    trial.reason.clear();
    state_.running.insert(placement.position);
    trial.overtaken = 0;
    actions_.push_back(PutAttempt{std::move(record)});
    record_state(trial);
    actions_.push_back(StartTrainer{trial.cell.id, run.attempt, run.shares});
    trial.run = std::move(run);
  }

  void stop_at_time_limit() {
    if (!state_.stop_at_s || now_s_ < *state_.stop_at_s) return;
    if (!std::exchange(state_.stopping, true)) stop_all(StopKind::kCheckpoint);
    if (now_s_ >= *state_.end_s && !std::exchange(state_.out_of_time, true)) stop_all(StopKind::kKill);
  }

  void stop_all(StopKind kind) {
    for (const std::size_t position : state_.running) stop(state_.trials[position], kind);
  }

  void stop(Trial& trial, StopKind kind) {
    if (trial.run->stop >= kind) return;
    trial.run->stop = kind;
    if (kind == StopKind::kCheckpoint) {
      trial.run->kill_at_s = now_s_ + state_.policy.stop_wait_s;
      state_.kill_times.emplace(trial.run->kill_at_s, position_of(trial));
    }
    actions_.push_back(StopTrainer{trial.run->leader(), trial.cell.id, trial.run->attempt, kind});
  }

  void kill_overdue() {
    while (!state_.kill_times.empty() && state_.kill_times.begin()->first <= now_s_) {
      const std::size_t position = state_.kill_times.begin()->second;
      state_.kill_times.erase(state_.kill_times.begin());
      stop(state_.trials[position], StopKind::kKill);
    }
  }

  void finish_if_over() {
    if (!state_.running.empty()) return;
    if (state_.num_final == state_.trials.size()) return finish_complete();
    if (state_.trouble) return finish(ExitCode::kError, *state_.trouble);
    if (state_.stopping) return finish(ExitCode::kIncomplete, "stopped before every trial had ended");
    if (state_.nodes.empty()) return;  // nobody has joined yet
    if (!state_.waiting.empty()) return;
    if (!state_.ready.empty() && std::isfinite(state_.nodes.next_rest_end_s())) return;
    finish(ExitCode::kIncomplete, state_.ready.empty() ? "the time that is left is too short for another checkpoint"
                                                       : "the nodes that are left cannot take the remaining trials");
  }

  void finish_complete() {
    std::size_t bad = 0;
    std::size_t stopped_early = 0;
    for (const Trial& trial : state_.trials) {
      bad += trial.ended_badly() ? 1 : 0;
      stopped_early += trial.state == TrialState::kCancelled && trial.stopped_early ? 1 : 0;
    }
    if (bad == 0 && stopped_early > 0)
      return finish(ExitCode::kDone, fmt::format("every trial has succeeded or was stopped early ({})", stopped_early));
    if (bad == 0) return finish(ExitCode::kDone, "every trial has succeeded");
    finish(ExitCode::kFinishedWithFailures, fmt::format("{} of {} trials did not succeed", bad, state_.trials.size()));
  }

  void finish(ExitCode code, std::string reason) {
    state_.finished = true;
    for (const auto& [agent, unused] : state_.nodes) actions_.push_back(LeaveNode{agent, now_s_});
    actions_.push_back(Finish{code, std::move(reason)});
  }

  void record_state(const Trial& trial) {
    actions_.push_back(SetTrialState{trial.cell.id, trial.state, trial.reason, now_s_});
  }

  std::size_t position_of(const Trial& trial) const { return state_.positions.at(trial.cell.id); }

  State& state_;
  double now_s_;
  Actions actions_;
};

}  // namespace

Actions react(State& state, ClusterEvent event, double now_s) { return Reaction(state, now_s).run(event); }

}  // namespace ditscale::orchestrator
