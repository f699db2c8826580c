#include "orchestrator/simulation/ledger.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/coordinator/order.hpp"
#include "orchestrator/coordinator/room.hpp"

namespace ditscale::orchestrator {

namespace {

/// Room for rounding, in seconds.
constexpr double kSlack_s = 1e-6;

std::int64_t checkpoint_on(const Disk& disk, const common::TrialId& trial) {
  const auto found = disk.checkpoints.find(trial);
  return found == disk.checkpoints.end() ? 0 : found->second;
}

/// The first in line over all kinds; empty when nobody waits.
std::optional<std::size_t> first_in_line(const State& state) {
  std::optional<std::size_t> first;
  for (const auto& [unused, queue] : state.ready.queues()) {
    const std::size_t head = queue.begin()->second;
    if (!first || goes_before(state, head, *first)) first = head;
  }
  return first;
}

}  // namespace

void Ledger::node_went(int agent) {
  living_.erase(agent);
  std::erase_if(cpus_, [&](const auto& cpu) { return cpu.first == agent; });
  std::erase_if(gpus_, [&](const auto& gpu) { return gpu.first == agent; });
  first_in_line_.reset();
}

void Ledger::restarted() {
  living_.clear();
  cpus_.clear();
  gpus_.clear();
  running_.clear();
  first_in_line_.reset();
}

void Ledger::decided(const Actions& actions, const State& state, const Disk& disk, double now_s) {
  for (const Action& action : actions) {
    std::visit([&](const auto& each) { check(each, state, disk, now_s); }, action);
  }
  watch_first_in_line(state, now_s);
}

void Ledger::check(const PutAttempt& put, const State& /*state*/, const Disk& disk, double /*now_s*/) {
  const auto known = disk.records.find(put.record.trial);
  if (known == disk.records.end() || known->second.attempts.empty()) return;
  note(put.record.number > known->second.attempts.back().record.number,
       fmt::format("{}: the number of an attempt did not grow", put.record.trial.brief()));
}

void Ledger::check(const SetTrialState& set, const State& /*state*/, const Disk& /*disk*/, double /*now_s*/) {
  note(final_.count(set.trial) == 0, fmt::format("{}: changed after its end was accepted", set.trial.brief()));
  if (results::is_final(set.state)) final_.insert(set.trial);
}

void Ledger::check(const StartTrainer& start, const State& state, const Disk& disk, double now_s) {
  const Trial& trial = state.trials[state.positions.at(start.trial)];
  const std::string who = start.trial.brief();
  note(num_processes(start.shares) == trial.ask.processes, who + ": a gang did not start whole");
  note(std::ssize(start.shares) <= trial.ask.max_nodes, who + ": a gang is spread over too many nodes");
  note(running_.insert(start.trial).second, who + ": two attempts at a time");
  for (const Share& share : start.shares) check_share(share, trial.ask, who);
  if (!state.stop_at_s) return;
  const std::int64_t from = checkpoint_on(disk, start.trial);
  const auto to_go = static_cast<double>(next_save(trial.cell.trial, from) - from);
  const double needed_s = trial.time.training_s * to_go / static_cast<double>(trial.cell.trial.train.steps);
  note(now_s + state.policy.start_up_s + needed_s <= *state.stop_at_s + kSlack_s,
       who + ": started though it cannot reach a checkpoint before the end");
}

void Ledger::check_share(const Share& share, const Ask& ask, const std::string& who) {
  note(living_.count(share.agent) != 0, who + ": started on a node that is gone");
  note(std::ssize(share.devices.cpus) == share.processes * ask.cpus, who + ": wrong number of cpus");
  note(std::ssize(share.devices.gpus) == share.processes * ask.gpus, who + ": wrong number of gpus");
  for (const int cpu : share.devices.cpus) {
    note(cpus_.emplace(share.agent, cpu).second, fmt::format("{}: cpu {} given twice", who, cpu));
  }
  for (const std::string& gpu : share.devices.gpus) {
    note(gpus_.emplace(share.agent, gpu).second, fmt::format("{}: gpu {} given twice", who, gpu));
  }
}

void Ledger::ended(const common::TrialId& trial, const Shares& shares, double seconds) {
  running_.erase(trial);
  longest_run_s_ = std::max(longest_run_s_, seconds);
  for (const Share& share : shares) {
    for (const int cpu : share.devices.cpus) cpus_.erase({share.agent, cpu});
    for (const std::string& gpu : share.devices.gpus) gpus_.erase({share.agent, gpu});
  }
}

/// Whoever is first in line waits at most for what runs on the nodes it is to get, for those that may go ahead of it
/// there one after the other, and for the last of them. What still runs counts with its time so far.
void Ledger::watch_first_in_line(const State& state, double now_s) {
  const auto first = first_in_line(state);
  const bool can_wait = first && !state.stopping &&
                        capacity_for(state.nodes, state.trials[*first].ask) >= state.trials[*first].ask.processes;
  if (!can_wait || first != first_in_line_) {
    first_in_line_ = can_wait ? first : std::nullopt;
    first_since_s_ = now_s;
    return;
  }
  double longest_s = longest_run_s_;
  for (const std::size_t position : state.running) {
    longest_s = std::max(longest_s, now_s - state.trials[position].run->started_s);
    if (now_s - first_since_s_ <= (state.policy.max_overtakes + 2) * longest_s + kSlack_s) return;
  }
  note(now_s - first_since_s_ <= (state.policy.max_overtakes + 2) * longest_s + kSlack_s,
       fmt::format("{}: starves at the head of the line", state.trials[*first].cell.id.brief()));
}

void Ledger::compare_replayed(const State& live, const State& replayed) {
  for (std::size_t i = 0; i < live.trials.size(); ++i) {
    const Trial& a = live.trials[i];
    const Trial& b = replayed.trials[i];
    const std::string who = a.cell.id.brief() + ": a restart would not know its ";
    note(a.num_attempts == b.num_attempts, who + "number of attempts");
    note(a.progress.checkpoint_step == b.progress.checkpoint_step, who + "checkpoint");
    if (a.run) continue;
    note(a.state == b.state, who + "state");
    note(a.failures == b.failures, who + "failures");
    note(a.losses_without_progress == b.losses_without_progress, who + "losses");
  }
}

void Ledger::note(bool is_kept, const std::string& violation) {
  constexpr std::size_t kMostNotes = 20;
  if (!is_kept && violations_.size() < kMostNotes) violations_.push_back(violation);
}

}  // namespace ditscale::orchestrator
