#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/coordinator/state.hpp"
#include "orchestrator/simulation/disk.hpp"

namespace ditscale::orchestrator {

/// Keeps its own account of a simulated cluster and notes each action that breaks a rule: no device is given twice; a
/// gang starts whole, on nodes that live; one attempt at a time, with growing numbers; nothing starts that cannot reach
/// a checkpoint before the end; each trial's end is accepted once; who is first in line does not starve.
class Ledger {
 public:
  void node_came(int agent) { living_.insert(agent); }
  void node_went(int agent);
  /// Another coordinator in another allocation: nothing runs.
  void restarted();

  /// What the coordinator decided at `now_s`, having come to `state`; `disk` is as it was before.
  void decided(const Actions& actions, const State& state, const Disk& disk, double now_s);
  /// A trial's trainer is gone. Of its devices those on lost nodes are free already.
  void ended(const common::TrialId& trial, const Shares& shares, double seconds);
  /// After all actions: how the state differs from what a restart makes of the records.
  void compare_replayed(const State& live, const State& replayed);

  /// In words; empty while every rule was kept.
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  void check(const PutAttempt& put, const State& state, const Disk& disk, double now_s);
  void check(const SetTrialState& set, const State& state, const Disk& disk, double now_s);
  void check(const StartTrainer& start, const State& state, const Disk& disk, double now_s);
  template <typename Other>
  void check(const Other&, const State&, const Disk&, double) {}
  void check_share(const Share& share, const Ask& ask, const std::string& who);
  void watch_first_in_line(const State& state, double now_s);
  void note(bool is_kept, const std::string& violation);

  std::set<int> living_;
  std::set<std::pair<int, int>> cpus_;
  std::set<std::pair<int, std::string>> gpus_;
  std::set<common::TrialId> running_;
  std::set<common::TrialId> final_;
  std::optional<std::size_t> first_in_line_;
  double first_since_s_ = 0;
  double longest_run_s_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace ditscale::orchestrator
