#include "tests/unit/orchestrator/simulated_cluster.hpp"

#include <algorithm>
#include <csignal>
#include <tuple>

#include <fmt/format.h>

namespace ditscale::orchestrator {

using common::to_int;
using results::TrialState;

void Disk::record(const Actions& actions) {
  for (const Action& action : actions) {
    if (const auto* put = std::get_if<PutAttempt>(&action)) {
      auto& attempts = records[put->record.trial].attempts;
      const auto last = attempts.empty() ? common::AttemptNumber{0} : attempts.back().record.number;
      EXPECT_GT(put->record.number, last) << "numbers only grow";
      attempts.push_back({put->record, {}});
    }
    if (const auto* end = std::get_if<EndAttempt>(&action)) {
      for (PastAttempt& attempt : records[end->trial].attempts) {
        if (attempt.record.number != end->attempt) continue;
        attempt.record.state = end->state;
        attempt.record.reason = end->reason;
        attempt.record.ended_s = end->time_s;
      }
    }
    if (const auto* set = std::get_if<SetTrialState>(&action)) {
      PastTrial& trial = records[set->trial];
      EXPECT_FALSE(results::is_final(trial.state)) << "a trial's end is accepted once";
      trial.state = set->state;
      trial.reason = set->reason;
    }
  }
}

std::unordered_map<common::TrialId, PastTrial> Disk::past() const {
  auto past = records;
  for (auto& [id, trial] : past) {
    for (PastAttempt& attempt : trial.attempts) {
      const auto file = event_files.find({id.str(), to_int(attempt.record.number)});
      if (file != event_files.end()) attempt.events = file->second;
    }
  }
  return past;
}

void SimulatedCluster::run(std::optional<std::size_t> crash_at, CrashPoint crash_point) {
  crash_at_ = crash_at;
  crash_point_ = crash_point;
  boot();
  while (!finished_) {
    if (crashing_) {
      crash();
      boot();
    } else if (due_.empty() || (!state_.waiting.empty() && state_.waiting.begin()->first < due_.top().at_s)) {
      ASSERT_FALSE(state_.waiting.empty()) << "nothing runs, nothing waits, and it is not over";
      now_s_ = std::max(now_s_, state_.waiting.begin()->first);
      deliver(Tick{});
    } else {
      const Due next = due_.top();
      due_.pop();
      now_s_ = std::max(now_s_, next.at_s);
      if (trainers_.count(next.trainer) != 0) advance(next.trainer);
    }
  }
}

std::vector<std::string> SimulatedCluster::final_table() const {
  std::vector<std::string> table;
  for (const Trial& trial : state_.trials) {
    const auto checkpoint = disk_.checkpoints.find(trial.cell.id);
    table.push_back(fmt::format("{} {} {}", trial.cell.id.brief(), results::to_name(trial.state),
                                checkpoint == disk_.checkpoints.end() ? 0 : checkpoint->second));
  }
  return table;
}

void SimulatedCluster::boot() {
  state_ = make_state(cells_, policy_, now_s_, std::nullopt);
  disk_.record(restore(state_, disk_.past(), now_s_));
  if (nothing_to_do(state_)) {
    finished_ = true;
    return;
  }
  AgentsJoined joined;
  for (const AgentReport& agent : agents_) {
    if (lost_agents_.count(agent.agent) == 0) joined.agents.push_back(agent);
  }
  deliver(joined);
}

void SimulatedCluster::deliver(const ClusterEvent& event) {
  if (crashing_ || finished_) return;
  const bool dies_here = crash_at_ == num_events_++;
  const Actions actions = react(state_, event, now_s_);
  crashing_ = dies_here;
  if (dies_here && crash_point_ == CrashPoint::kBeforeRecords) return;
  disk_.record(actions);
  if (dies_here && crash_point_ == CrashPoint::kBeforeMessages) return;
  for (const Action& action : actions) perform(action);
}

void SimulatedCluster::perform(const Action& action) {
  if (const auto* order = std::get_if<StartTrainer>(&action)) start(*order);
  if (const auto* finish = std::get_if<Finish>(&action)) {
    finished_ = true;
    exit_code_ = finish->code;
  }
}

void SimulatedCluster::start(const StartTrainer& order) {
  check_ledger(order);
  ++num_starts_;
  const Key key{order.trial.str(), to_int(order.attempt)};
  const std::size_t position = state_.positions.at(order.trial);
  trainers_[key] = {order.shares, position, disk_.checkpoints[order.trial]};
  due_.push({now_s_ + scripts[order.trial].seconds_per_step, order_++, key});
}

void SimulatedCluster::check_ledger(const StartTrainer& order) {
  const Ask& ask = state_.trials[state_.positions.at(order.trial)].ask;
  EXPECT_EQ(num_processes(order.shares), ask.processes) << "a gang starts whole";
  for (const Share& share : order.shares) {
    EXPECT_EQ(lost_agents_.count(share.agent), 0U);
    EXPECT_EQ(std::ssize(share.devices.cpus), share.processes * ask.cpus);
    EXPECT_EQ(std::ssize(share.devices.gpus), share.processes * ask.gpus);
    for (const int cpu : share.devices.cpus)
      EXPECT_TRUE(cpus_in_use_.emplace(share.agent, cpu).second) << "cpu given twice";
    for (const auto& gpu : share.devices.gpus)
      EXPECT_TRUE(gpus_in_use_.emplace(share.agent, gpu).second) << "gpu given twice";
  }
  EXPECT_TRUE(running_.insert(order.trial.str()).second) << "one attempt at a time";
}

void SimulatedCluster::advance(const Key& key) {
  Trainer& trainer = trainers_.at(key);
  const sweeps::Cell& cell = cells_[trainer.position];
  const Script& script = scripts[cell.id];
  if (agents_.size() - lost_agents_.size() > 1 && std::uniform_real_distribution<>()(random_) < node_loss_chance) {
    return lose_node(trainer.shares.back().agent);
  }
  ++trainer.step;
  const std::int64_t step = trainer.step;
  if (step == cell.trial.train.steps / 2 && script.diverges) return end(key, "diverged");
  if (step == cell.trial.train.steps / 2 && disk_.failures[cell.id] < script.num_failures) {
    ++disk_.failures[cell.id];
    return end(key, "failed");
  }
  if (step % cell.trial.checkpoint.every_steps == 0 || step == cell.trial.train.steps) {
    disk_.checkpoints[cell.id] = step;
    speak(key, "checkpoint", {{"step", step}});
  }
  if (step == cell.trial.train.steps) return end(key, "succeeded");
  due_.push({now_s_ + script.seconds_per_step, order_++, key});
}

/// The file first, as a trainer does; then, when someone listens, the pipe.
void SimulatedCluster::speak(const Key& key, const std::string& kind, common::Json body) {
  auto& file = disk_.event_files[key];
  common::Event event;
  event.number = std::ssize(file) + 1;
  event.time_s = now_s_;
  event.kind = kind;
  event.body = std::move(body);
  file.push_back(event);
  deliver(TrainerSpoke{common::TrialId(key.first), common::AttemptNumber{key.second}, event});
}

void SimulatedCluster::end(const Key& key, const std::string& outcome) {
  speak(key, "outcome", {{"state", outcome}, {"reason", "by its script"}});
  release(key);
  TrainerEnded ended;
  ended.trial = common::TrialId(key.first);
  ended.attempt = common::AttemptNumber{key.second};
  ended.code = outcome == "succeeded" ? 0 : 1;
  deliver(ended);
}

void SimulatedCluster::die(const Key& key) {
  release(key);
  TrainerEnded ended;
  ended.trial = common::TrialId(key.first);
  ended.attempt = common::AttemptNumber{key.second};
  ended.signal = SIGKILL;
  deliver(ended);
}

void SimulatedCluster::release(const Key& key) {
  const Trainer trainer = trainers_.at(key);
  for (const Share& share : trainer.shares) {
    for (const int cpu : share.devices.cpus) cpus_in_use_.erase({share.agent, cpu});
    for (const auto& gpu : share.devices.gpus) gpus_in_use_.erase({share.agent, gpu});
  }
  running_.erase(key.first);
  trainers_.erase(key);
}

void SimulatedCluster::lose_node(int agent) {
  lost_agents_.insert(agent);
  std::vector<Key> gone;
  for (const auto& [key, trainer] : trainers_) {
    const bool hit = std::any_of(trainer.shares.begin(), trainer.shares.end(),
                                 [&](const Share& share) { return share.agent == agent; });
    if (hit) gone.push_back(key);
  }
  // What is left of a gang ends a little later, and its first agent says so.
  std::vector<Key> halved;
  for (const Key& key : gone) {
    if (trainers_.at(key).shares.front().agent != agent)
      halved.push_back(key);
    else
      release(key);
  }
  deliver(AgentLost{agent, "its node was lost"});
  for (const Key& key : halved) {
    if (trainers_.count(key) != 0) die(key);
  }
}

/// The coordinator's end takes agents and trainers with it. Half of the trainers manage to save and to say so.
void SimulatedCluster::crash() {
  crash_at_.reset();
  while (!trainers_.empty()) {
    const auto [key, trainer] = *trainers_.begin();
    const common::TrialId id = cells_[trainer.position].id;
    if (std::uniform_int_distribution<>(0, 1)(random_) == 0) {
      disk_.checkpoints[id] = trainer.step;
      speak(key, "checkpoint", {{"step", trainer.step}});
      speak(key, "outcome", {{"state", "preempted"}, {"reason", "asked to stop"}});
    }
    release(key);
  }
  due_ = {};
  crashing_ = false;
}

}  // namespace ditscale::orchestrator
