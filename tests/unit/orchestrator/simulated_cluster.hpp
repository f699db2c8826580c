#pragma once

#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "orchestrator/coordinator/reactor.hpp"
#include "orchestrator/coordinator/restore.hpp"

namespace ditscale::orchestrator {

/// How a simulated trial behaves, whoever runs it when.
struct Script {
  /// Failures of its own, halfway through, before it goes well.
  int num_failures = 0;
  bool diverges = false;
  double seconds_per_step = 1.0;
};

/// What survives a crash: the database, the trials' event files and checkpoints.
struct Disk {
  std::unordered_map<common::TrialId, PastTrial> records;
  std::map<std::pair<std::string, int>, std::vector<common::Event>> event_files;
  std::unordered_map<common::TrialId, std::int64_t> checkpoints;
  std::unordered_map<common::TrialId, int> failures;

  /// Stores what a coordinator records.
  void record(const Actions& actions);
  /// The records with each attempt's file, as a restarted coordinator reads them.
  [[nodiscard]] std::unordered_map<common::TrialId, PastTrial> past() const;
};

/// Where the coordinator dies while it handles an event.
enum class CrashPoint { kBeforeRecords, kBeforeMessages, kAfterMessages };

/// A cluster in virtual time: nodes, trainers that follow scripts, a coordinator that can be killed. Every action is
/// checked against a ledger of its own.
class SimulatedCluster {
 public:
  SimulatedCluster(std::vector<sweeps::Cell> cells, std::vector<AgentReport> agents, Policy policy, std::uint32_t seed)
      : cells_(std::move(cells)), agents_(std::move(agents)), policy_(policy), random_(seed) {}

  std::unordered_map<common::TrialId, Script> scripts;
  /// Chance that a step of a trainer brings its node down (never the last node).
  double node_loss_chance = 0;

  /// Runs to the end; with `crash_at`, the coordinator dies at that event (counted from 0) and a new one goes on.
  void run(std::optional<std::size_t> crash_at = std::nullopt, CrashPoint crash = CrashPoint::kAfterMessages);

  [[nodiscard]] std::size_t num_events() const { return num_events_; }
  [[nodiscard]] std::size_t num_starts() const { return num_starts_; }
  [[nodiscard]] double now_s() const { return now_s_; }
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] common::ExitCode exit_code() const { return exit_code_; }
  /// "id state step", in the order of the sweep.
  [[nodiscard]] std::vector<std::string> final_table() const;

 private:
  struct Trainer {
    Shares shares;
    std::size_t position;
    std::int64_t step;
  };
  using Key = std::pair<std::string, int>;
  struct Due {
    double at_s;
    std::uint64_t order;
    Key trainer;
    bool operator>(const Due& other) const { return std::tie(at_s, order) > std::tie(other.at_s, other.order); }
  };

  void boot();
  void deliver(const ClusterEvent& event);
  void perform(const Action& action);
  void start(const StartTrainer& start);
  void advance(const Key& key);
  void speak(const Key& key, const std::string& kind, common::Json body);
  void end(const Key& key, const std::string& outcome);
  void die(const Key& key);
  void release(const Key& key);
  void lose_node(int agent);
  void crash();
  void check_ledger(const StartTrainer& start);

  std::vector<sweeps::Cell> cells_;
  std::vector<AgentReport> agents_;
  Policy policy_;
  std::mt19937 random_;
  Disk disk_;
  State state_;
  std::map<Key, Trainer> trainers_;
  std::set<std::string> running_;
  std::set<std::pair<int, int>> cpus_in_use_;
  std::set<std::pair<int, std::string>> gpus_in_use_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::set<int> lost_agents_;
  std::optional<std::size_t> crash_at_;
  CrashPoint crash_point_ = CrashPoint::kAfterMessages;
  bool crashing_ = false;
  bool finished_ = false;
  common::ExitCode exit_code_ = common::ExitCode::kError;
  std::size_t num_events_ = 0;
  std::size_t num_starts_ = 0;
  std::uint64_t order_ = 0;
  double now_s_ = 1000;
};

}  // namespace ditscale::orchestrator
