#pragma once

#include <functional>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/exit_code.hpp"
#include "orchestrator/coordinator/reactor.hpp"
#include "orchestrator/simulation/ledger.hpp"
#include "orchestrator/simulation/script.hpp"
#include "sweeps/spec/speed.hpp"

namespace ditscale::orchestrator {

/// Where a coordinator dies while it handles an event.
enum class CrashPoint { kBeforeRecords, kBeforeMessages, kAfterMessages };
struct Crash {
  /// Counted from 0.
  std::size_t event = 0;
  CrashPoint point = CrashPoint::kAfterMessages;
};

/// One attempt on the time axis.
struct Span {
  std::size_t position = 0;
  Shares shares;
  double start_s = 0;
  double end_s = 0;
};

/// A cluster in virtual time: nodes that get lost and come back, trainers that follow scripts, a coordinator that can
/// be killed. The decisions are those of `react`; a Ledger watches them.
class SimulatedCluster {
 public:
  SimulatedCluster(std::vector<sweeps::Cell> cells, std::vector<AgentReport> agents, SimulationOptions options);

  /// Of each trial; those that have none follow the default.
  std::unordered_map<common::TrialId, Script> scripts;
  /// Speeds known from the start, as `State::speeds`.
  std::map<Ask, sweeps::Speed> speeds;
  /// Stands between the cluster and `react`, to watch it.
  std::function<Actions(State&, const ClusterEvent&, double now_s)> decide = react;

  /// Runs to the end, or until max_events; with `crash`, the coordinator dies there and a new one goes on.
  void run(std::optional<Crash> crash = std::nullopt);

  [[nodiscard]] std::size_t num_events() const { return num_events_; }
  [[nodiscard]] bool is_cut_short() const { return num_events_ + num_replayed_ >= options_.max_events; }
  [[nodiscard]] std::size_t num_lost_nodes() const { return num_lost_nodes_; }
  [[nodiscard]] std::size_t num_false_starts() const { return num_false_starts_; }
  /// Seconds from the start to the last event.
  [[nodiscard]] double elapsed_s() const { return now_s_ - kStart_s; }
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] common::ExitCode exit_code() const { return exit_code_; }
  /// All attempts in the order of their ends, seconds from the start.
  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }
  [[nodiscard]] const std::vector<std::string>& violations() const { return ledger_.violations(); }
  /// "id state step" of each trial, in the order of the sweep; the step is that of its newest checkpoint.
  [[nodiscard]] std::vector<std::string> final_table() const;

 private:
  static constexpr double kStart_s = 1000;

  struct Trainer {
    Shares shares;
    std::size_t position = 0;
    std::int64_t first_step = 0;
    double started_s = 0;
    /// Its first step begins.
    double ready_s = 0;
    /// What it does next, without disturbance.
    std::int64_t next_step = 0;
    /// A node of it was lost: the rest stands still until it is killed.
    bool is_broken = false;
  };
  enum class Happening { kStep, kScored, kSaved, kPreempted, kFalseStart, kKilled, kNodeLost, kNodeBack, kStopped };
  struct Due {
    double at_s = 0;
    std::uint64_t order = 0;
    Happening what = Happening::kStep;
    AttemptKey attempt;
    int agent = 0;
    bool operator>(const Due& other) const { return std::tie(at_s, order) > std::tie(other.at_s, other.order); }
  };

  void boot();
  void wait_for_node();
  void go_on();
  /// When time alone makes the coordinator do something; infinity when it does not.
  [[nodiscard]] double next_tick_s() const;
  void happen(const Due& due);
  void deliver(const ClusterEvent& event);
  void perform(const StartTrainer& start);
  void perform(const StopTrainer& stop);
  void perform(const Finish& finish);
  template <typename Other>
  void perform(const Other& /*record*/) {}

  void plan_step(const AttemptKey& key);
  void do_step(const AttemptKey& key);
  void begin_last_scores(const AttemptKey& key);
  void end_last_scores(const AttemptKey& key);
  void save_and_end(const AttemptKey& key);
  void kill(const AttemptKey& key);
  void end_before_begin(const AttemptKey& key);
  /// Its devices are free, and the coordinator hears of it.
  void be_gone(const AttemptKey& key, const TrainerEnded& ended);
  void save(const AttemptKey& key, std::int64_t step);
  void tell_newest_checkpoint(const AttemptKey& key);
  void speak(const AttemptKey& key, const std::string& kind, common::Json body);
  void end(const AttemptKey& key, const std::string& outcome, int code);
  void release(const AttemptKey& key);
  void lose_node(int agent);
  void break_trainers_on(int agent);
  void bring_back(int agent);
  void schedule_loss(int agent);
  void crash();

  [[nodiscard]] bool has_trained(const Trainer& trainer) const;
  [[nodiscard]] bool is_to_fail(const Trainer& trainer) const;
  [[nodiscard]] std::int64_t fail_step(const Trainer& trainer) const;
  [[nodiscard]] std::int64_t step_now(const Trainer& trainer) const;
  [[nodiscard]] const Script& script_of(const Trainer& trainer) const;
  void push(double at_s, Happening what, const AttemptKey& attempt, int agent = 0);
  [[nodiscard]] double draw_s(double mean_s);

  std::vector<sweeps::Cell> cells_;
  /// By their agents' present rank; a node that comes back has a new one.
  std::map<int, AgentReport> agents_;
  std::map<int, AgentReport> lost_agents_;
  int next_agent_ = 1;
  SimulationOptions options_;
  std::mt19937_64 random_;
  Disk disk_;
  Ledger ledger_;
  State state_;
  std::map<AttemptKey, Trainer> trainers_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::optional<Crash> crash_;
  bool crashing_ = false;
  bool finished_ = false;
  std::size_t starts_in_round_ = 0;
  common::ExitCode exit_code_ = common::ExitCode::kError;
  std::size_t num_events_ = 0;
  std::size_t num_replayed_ = 0;
  std::size_t num_lost_nodes_ = 0;
  std::size_t num_false_starts_ = 0;
  std::uint64_t order_ = 0;
  double now_s_ = kStart_s;
  std::vector<Span> spans_;
};

}  // namespace ditscale::orchestrator
