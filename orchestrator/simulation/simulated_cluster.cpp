#include "orchestrator/simulation/simulated_cluster.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

SimulatedCluster::SimulatedCluster(std::vector<sweeps::Cell> cells, std::vector<AgentReport> agents,
                                   SimulationOptions options)
    : cells_(std::move(cells)), options_(std::move(options)), random_(options_.seed) {
  for (const AgentReport& agent : agents) {
    agents_[agent.agent] = agent;
    next_agent_ = std::max(next_agent_, agent.agent + 1);
    schedule_loss(agent.agent);
  }
  for (const double stop_s : options_.stops_s) push(kStart_s + stop_s, Happening::kStopped, {});
}

void SimulatedCluster::run(std::optional<Crash> crash_at) {
  crash_ = crash_at;
  boot();
  while (!is_cut_short()) {
    if (crashing_) {
      crash();
      boot();
    } else if (finished_) {
      const bool goes_on = exit_code_ == ExitCode::kIncomplete && (starts_in_round_ > 0 || !lost_agents_.empty());
      if (!goes_on) return;
      if (starts_in_round_ == 0) wait_for_node();
      boot();
    } else {
      go_on();
    }
  }
}

void SimulatedCluster::wait_for_node() {
  const std::size_t num_lost = lost_agents_.size();
  while (lost_agents_.size() >= num_lost) go_on();
}

/// A coordinator begins, in an allocation of the nodes that live.
void SimulatedCluster::boot() {
  while (agents_.empty()) go_on();
  finished_ = false;
  starts_in_round_ = 0;
  state_ = make_state(cells_, options_.policy, now_s_, options_.limit_s);
  state_.speeds = speeds;
  if (!speeds.empty()) predict_all(state_);
  const Actions to_record = restore(state_, disk_.past(), now_s_);
  num_replayed_ += spans_.size();
  ledger_.restarted();
  ledger_.decided(to_record, state_, disk_, now_s_);
  disk_.record(to_record);
  if (nothing_to_do(state_)) {
    finished_ = true;
    exit_code_ = std::all_of(state_.trials.begin(), state_.trials.end(),
                             [](const Trial& trial) { return trial.state == results::TrialState::kSucceeded; })
                     ? ExitCode::kDone
                     : ExitCode::kFinishedWithFailures;
    return;
  }
  AgentsJoined joined;
  for (const auto& [agent, report] : agents_) {
    joined.agents.push_back(report);
    ledger_.node_came(agent);
  }
  deliver(joined);
}

void SimulatedCluster::go_on() {
  const double tick_s = next_tick_s();
  DITSCALE_CHECK(!due_.empty() || std::isfinite(tick_s), "nothing runs, nothing waits, and it is not over");
  if (due_.empty() || tick_s < due_.top().at_s) {
    now_s_ = std::max(now_s_, tick_s);
    deliver(Tick{});
    return;
  }
  const Due due = due_.top();
  due_.pop();
  now_s_ = std::max(now_s_, due.at_s);
  happen(due);
}

double SimulatedCluster::next_tick_s() const {
  double tick_s = std::numeric_limits<double>::infinity();
  if (agents_.empty() || finished_) return tick_s;
  if (!state_.waiting.empty()) tick_s = std::min(tick_s, state_.waiting.begin()->first);
  tick_s = std::min(tick_s, state_.nodes.next_rest_end_s());
  if (!state_.kill_times.empty()) tick_s = std::min(tick_s, state_.kill_times.begin()->first);
  if (state_.stop_at_s && !state_.stopping) tick_s = std::min(tick_s, *state_.stop_at_s);
  if (state_.end_s && !state_.out_of_time) tick_s = std::min(tick_s, *state_.end_s);
  return tick_s;
}

void SimulatedCluster::happen(const Due& due) {
  const bool is_about_trainer = due.what <= Happening::kKilled;
  if (is_about_trainer && trainers_.count(due.attempt) == 0) return;
  switch (due.what) {
    case Happening::kStep:
      return do_step(due.attempt);
    case Happening::kScored:
      return end_last_scores(due.attempt);
    case Happening::kSaved:
    case Happening::kPreempted:
      return save_and_end(due.attempt);
    case Happening::kFalseStart:
      return end_before_begin(due.attempt);
    case Happening::kKilled:
      return kill(due.attempt);
    case Happening::kNodeLost:
      return lose_node(due.agent);
    case Happening::kNodeBack:
      return bring_back(due.agent);
    case Happening::kStopped:
      return deliver(StopRequested{});
  }
}

void SimulatedCluster::deliver(const ClusterEvent& event) {
  if (crashing_ || finished_ || state_.finished) return;
  const bool dies_here = crash_ && crash_->event == num_events_;
  ++num_events_;
  const Actions actions = decide(state_, event, now_s_);
  crashing_ = dies_here;
  if (dies_here && crash_->point == CrashPoint::kBeforeRecords) return;
  ledger_.decided(actions, state_, disk_, now_s_);
  disk_.record(actions);
  if (options_.checks_replay) {
    State replayed = make_state(cells_, options_.policy, now_s_, options_.limit_s);
    [[maybe_unused]] const Actions to_record = restore(replayed, disk_.past(), now_s_);
    ledger_.compare_replayed(state_, replayed);
  }
  if (dies_here && crash_->point == CrashPoint::kBeforeMessages) return;
  for (const Action& action : actions) {
    std::visit([this](const auto& each) { perform(each); }, action);
  }
}

void SimulatedCluster::perform(const Finish& finish) {
  finished_ = true;
  exit_code_ = finish.code;
}

/// The coordinator's end takes agents and trainers with it. Half of the trainers manage to save and to say so.
void SimulatedCluster::crash() {
  crash_.reset();
  crashing_ = true;
  while (!trainers_.empty()) {
    const AttemptKey key = trainers_.begin()->first;
    const Trainer& trainer = trainers_.at(key);
    if (!trainer.is_broken && std::uniform_int_distribution<>(0, 1)(random_) == 0) {
      save(key, step_now(trainer));
      speak(key, "outcome", {{"state", "preempted"}, {"reason", "asked to stop"}});
    }
    release(key);
  }
  crashing_ = false;
}

void SimulatedCluster::lose_node(int agent) {
  const auto lost = agents_.find(agent);
  if (lost == agents_.end()) return;
  break_trainers_on(agent);
  ++num_lost_nodes_;
  ledger_.node_went(agent);
  lost_agents_[agent] = std::move(lost->second);
  agents_.erase(lost);
  push(now_s_ + options_.misfortunes.node_repair_s, Happening::kNodeBack, {}, agent);
  deliver(AgentLost{agent, "its node was lost"});
}

/// What ran on its node is gone; what is left elsewhere of a gang stands still until the gang's first agent kills it.
void SimulatedCluster::break_trainers_on(int agent) {
  std::vector<AttemptKey> hit;
  for (const auto& [key, trainer] : trainers_) {
    const bool is_hit = std::any_of(trainer.shares.begin(), trainer.shares.end(),
                                    [&](const Share& share) { return share.agent == agent; });
    if (is_hit) hit.push_back(key);
  }
  for (const AttemptKey& key : hit) {
    if (!options_.tells_every_checkpoint) tell_newest_checkpoint(key);
    Trainer& trainer = trainers_.at(key);
    trainer.is_broken = true;
    if (trainer.shares.front().agent == agent) release(key);
  }
}

void SimulatedCluster::bring_back(int agent) {
  AgentReport report = std::move(lost_agents_.extract(agent).mapped());
  report.agent = next_agent_++;
  agents_[report.agent] = report;
  schedule_loss(report.agent);
  if (finished_ || state_.finished) return;
  ledger_.node_came(report.agent);
  deliver(AgentsJoined{{report}});
}

void SimulatedCluster::schedule_loss(int agent) {
  if (!std::isfinite(options_.misfortunes.node_mtbf_s)) return;
  push(now_s_ + draw_s(options_.misfortunes.node_mtbf_s), Happening::kNodeLost, {}, agent);
}

void SimulatedCluster::push(double at_s, Happening what, const AttemptKey& attempt, int agent) {
  due_.push({at_s, order_++, what, attempt, agent});
}

double SimulatedCluster::draw_s(double mean_s) { return std::exponential_distribution<>(1.0 / mean_s)(random_); }

std::vector<std::string> SimulatedCluster::final_table() const {
  std::vector<std::string> table;
  for (const Trial& trial : state_.trials) {
    const auto checkpoint = disk_.checkpoints.find(trial.cell.id);
    table.push_back(fmt::format("{} {} {}", trial.cell.id.brief(), results::to_name(trial.state),
                                checkpoint == disk_.checkpoints.end() ? 0 : checkpoint->second));
  }
  return table;
}

}  // namespace ditscale::orchestrator
