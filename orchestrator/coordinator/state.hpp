#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "orchestrator/coordinator/halving.hpp"
#include "orchestrator/coordinator/nodes.hpp"
#include "orchestrator/coordinator/order.hpp"
#include "orchestrator/coordinator/policy.hpp"
#include "orchestrator/coordinator/ready_queue.hpp"
#include "orchestrator/coordinator/reservation.hpp"
#include "orchestrator/coordinator/trial.hpp"
#include "sweeps/spec/speed.hpp"

namespace ditscale::orchestrator {

/// Trials that ask the same and may go on with fewer processes in the same way.
struct ElasticKind {
  /// What the nodes that are left can hold of it.
  Ask fitted;
  std::vector<std::size_t> positions;
};

/// All the coordinator knows. Changed by `react` and `restore` only; rebuilt from the records after a restart.
struct State {
  Policy policy;
  /// In the order of the sweep file.
  std::vector<Trial> trials;
  std::unordered_map<common::TrialId, std::size_t> positions;
  Nodes nodes;
  /// Measured, by ask; others are assumed.
  std::map<Ask, sweeps::Speed> speeds;

  Order order;
  /// What `order` was last made for; see improve_order.
  OrderOccasion order_occasion;
  ReadyQueue ready;
  /// Remaining seconds x devices of all trials in `ready`.
  double queued_gpu_s = 0;
  double queued_cpu_s = 0;
  /// Could no longer reach a checkpoint before the time limit when they were looked at.
  std::set<std::size_t> too_late;
  Reservations reservations;
  std::vector<ElasticKind> elastic;
  /// Retries that wait: (not before, position).
  std::set<std::pair<double, std::size_t>> waiting;
  std::set<std::size_t> running;
  /// When running trials that were asked to stop are killed: (time, position).
  std::set<std::pair<double, std::size_t>> kill_times;
  std::size_t num_final = 0;

  /// Absent: no trial is stopped early.
  std::optional<Halving> halving;

  bool stopping = false;
  /// Why the study was stopped before its end, when it is nothing that was asked for.
  std::optional<std::string> trouble;
  /// The time limit has come: all were killed.
  bool out_of_time = false;
  /// When everything must have stopped, and when trainers are told to.
  std::optional<double> end_s;
  std::optional<double> stop_at_s;
  bool finished = false;
};

/// A state in which every cell is pending. `limit_s` counts from `now_s`.
[[nodiscard]] State make_state(std::vector<sweeps::Cell> cells, const Policy& policy, double now_s,
                               std::optional<double> limit_s);

/// Where it queues.
[[nodiscard]] TrialKind kind_of(const Trial& trial);

/// The trial with this id, or null for one that is not part of this sweep.
[[nodiscard]] Trial* find_trial(State& state, const common::TrialId& id);

/// Puts the trial at `position` into the queue it belongs to: ready, or waiting until its `not_before_s`.
void enqueue(State& state, std::size_t position, double now_s);
/// Takes it out of the ready queue, with what is reserved for it.
void dequeue(State& state, std::size_t position);
/// Takes trials that can no longer reach their next checkpoint in time out of the ready queue.
void set_aside_too_late(State& state, double now_s);
/// Lets every trial that does not run ask for what the nodes can hold. Call when nodes came or went.
void fit_to_nodes(State& state);
/// The same for the trial at `position`, which must not run.
void fit_to_nodes(State& state, std::size_t position);
/// Moves retries whose wait is over into the ready queue.
void wake_waiting(State& state, double now_s);
/// Predicts all trials anew with the speeds known now.
void predict_all(State& state);

}  // namespace ditscale::orchestrator
