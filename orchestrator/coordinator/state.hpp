#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "orchestrator/coordinator/policy.hpp"
#include "orchestrator/coordinator/trial.hpp"

namespace ditscale::orchestrator {

/// A node as its agent reported it.
struct Node {
  std::string host;
  Devices all;
  Devices free;
};

/// Trials that could start now, one ordered queue for each ask: longest first, then in the order of the file.
class ReadyQueue {
 public:
  /// (minus remaining seconds, position)
  using Key = std::pair<double, std::size_t>;
  void insert(const Ask& ask, Key key) { queues_[ask].insert(key); }
  void erase(const Ask& ask, Key key);
  [[nodiscard]] bool contains(const Ask& ask, Key key) const;
  [[nodiscard]] const std::map<Ask, std::set<Key>>& queues() const { return queues_; }
  [[nodiscard]] bool empty() const { return queues_.empty(); }

 private:
  /// No empty queue is kept.
  std::map<Ask, std::set<Key>> queues_;
};

/// All the coordinator knows. Changed by `react` and `restore` only; rebuilt from the records after a restart.
struct State {
  Policy policy;
  /// In the order of the sweep file.
  std::vector<Trial> trials;
  std::unordered_map<common::TrialId, std::size_t> positions;
  /// By the agent's rank.
  std::map<int, Node> nodes;
  /// Measured MACs per second, by ask.
  std::map<Ask, double> rates;

  ReadyQueue ready;
  /// Retries that wait: (not before, position).
  std::set<std::pair<double, std::size_t>> waiting;
  std::size_t num_running = 0;
  std::size_t num_final = 0;

  bool stopping = false;
  /// When everything must have stopped, and when trainers are told to.
  std::optional<double> end_s;
  std::optional<double> stop_at_s;
  bool finished = false;
};

/// A state in which every cell is pending. `limit_s` counts from `now_s`.
[[nodiscard]] State make_state(std::vector<sweeps::Cell> cells, const Policy& policy, double now_s,
                               std::optional<double> limit_s);

/// The trial with this id, or null for one that is not part of this sweep.
[[nodiscard]] Trial* find_trial(State& state, const common::TrialId& id);

/// Puts the trial at `position` into the queue it belongs to: ready, or waiting until its `not_before_s`.
void enqueue(State& state, std::size_t position, double now_s);
/// Takes it out of the ready queue.
void dequeue(State& state, std::size_t position);
/// Lets every trial that does not run ask for what the nodes can hold. Call when nodes came or went.
void fit_to_nodes(State& state);
/// The same for the trial at `position`, which must not run.
void fit_to_nodes(State& state, std::size_t position);
/// Moves retries whose wait is over into the ready queue.
void wake_waiting(State& state, double now_s);
/// Predicts all trials anew with the rates known now.
void predict_all(State& state);

}  // namespace ditscale::orchestrator
