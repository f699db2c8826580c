#include "orchestrator/coordinator/state.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "orchestrator/coordinator/room.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::orchestrator {

namespace {

ReadyQueue::Key key_of(const State& state, std::size_t position) {
  return {-state.trials[position].remaining_s(), position};
}

double latest_start_s(const State& state, const Trial& trial) {
  return state.stop_at_s ? *state.stop_at_s - state.policy.start_up_s - trial.next_checkpoint_s()
                         : std::numeric_limits<double>::infinity();
}

void count_queued(State& state, const Trial& trial, double sign) {
  state.queued_gpu_s += sign * trial.remaining_s() * static_cast<double>(trial.ask.total_gpus());
  state.queued_cpu_s += sign * trial.remaining_s() * static_cast<double>(trial.ask.total_cpus());
}

void insert_ready(State& state, std::size_t position) {
  const Trial& trial = state.trials[position];
  count_queued(state, trial, 1);
  state.ready.insert(kind_of(trial), key_of(state, position), latest_start_s(state, trial));
}

void erase_ready(State& state, std::size_t position) {
  const Trial& trial = state.trials[position];
  count_queued(state, trial, -1);
  state.ready.erase(kind_of(trial), key_of(state, position), latest_start_s(state, trial));
}

/// Trials of one kind shrink to the same number of processes.
void add_elastic_kinds(State& state) {
  std::map<std::tuple<Ask, std::int64_t, std::optional<std::int64_t>>, std::size_t> kinds;
  for (std::size_t position = 0; position < state.trials.size(); ++position) {
    Trial& trial = state.trials[position];
    if (trial.ask.min_processes == trial.ask.processes) continue;
    const sweeps::TrainSpec& train = trial.cell.trial.train;
    const auto [kind, is_new] =
        kinds.emplace(std::tuple(trial.ask, train.global_batch, train.micro_batch), state.elastic.size());
    if (is_new) state.elastic.push_back({trial.ask, {}});
    state.elastic[kind->second].positions.push_back(position);
    trial.elastic = kind->second;
  }
}

void predict(const State& state, Trial& trial) {
  const auto measured = state.speeds.find(trial.ask);
  trial.time = sweeps::time_of(trial.cell.trial, measured != state.speeds.end() ? measured->second : sweeps::Speed(),
                               {trial.ask.processes, trial.ask.cpus, trial.ask.total_gpus(), {}});
  trial.predicted_s = trial.time.whole_s(trial.cell.trial);
}

}  // namespace

State make_state(std::vector<sweeps::Cell> cells, const Policy& policy, double now_s, std::optional<double> limit_s) {
  State state;
  state.policy = policy;
  for (sweeps::Cell& cell : cells) {
    Trial trial;
    trial.ask = ask_of(cell.trial.resources);
    trial.cell = std::move(cell);
    for (const sweeps::EvaluateSpec& entry : trial.cell.trial.evaluate) trial.progress.scores.push_back({entry, {}});
    predict(state, trial);
    state.positions.emplace(trial.cell.id, state.trials.size());
    state.trials.push_back(std::move(trial));
  }
  add_elastic_kinds(state);
  if (limit_s) {
    state.end_s = now_s + *limit_s;
    state.stop_at_s = *state.end_s - std::min(policy.stop_margin_s, *limit_s * policy.stop_margin_share);
  }
  return state;
}

TrialKind kind_of(const Trial& trial) { return {trial.cell.trial.resources.priority, trial.ask}; }

Trial* find_trial(State& state, const common::TrialId& id) {
  const auto found = state.positions.find(id);
  return found == state.positions.end() ? nullptr : &state.trials[found->second];
}

void enqueue(State& state, std::size_t position, double now_s) {
  const Trial& trial = state.trials[position];
  if (trial.not_before_s > now_s) {
    state.waiting.emplace(trial.not_before_s, position);
  } else {
    insert_ready(state, position);
  }
}

void dequeue(State& state, std::size_t position) {
  if (state.too_late.erase(position) == 0) erase_ready(state, position);
  state.reservations.erase(position);
}

void set_aside_too_late(State& state, double now_s) {
  while (const auto position = state.ready.too_late(now_s)) {
    dequeue(state, *position);
    state.too_late.insert(*position);
  }
}

void fit_to_nodes(State& state) {
  for (ElasticKind& kind : state.elastic) {
    const Ask fitted = ask_for(state.nodes, state.trials[kind.positions.front()].cell.trial);
    if (fitted == kind.fitted) continue;
    kind.fitted = fitted;
    for (const std::size_t position : kind.positions) {
      if (!state.trials[position].run) fit_to_nodes(state, position);
    }
  }
}

void fit_to_nodes(State& state, std::size_t position) {
  Trial& trial = state.trials[position];
  if (!trial.elastic || state.elastic[*trial.elastic].fitted == trial.ask) return;
  const bool is_ready = state.ready.contains(kind_of(trial), key_of(state, position));
  if (is_ready) dequeue(state, position);
  trial.ask = state.elastic[*trial.elastic].fitted;
  predict(state, trial);
  if (is_ready) insert_ready(state, position);
}

void wake_waiting(State& state, double now_s) {
  while (!state.waiting.empty() && state.waiting.begin()->first <= now_s) {
    const std::size_t position = state.waiting.begin()->second;
    state.waiting.erase(state.waiting.begin());
    enqueue(state, position, now_s);
  }
}

void predict_all(State& state) {
  std::vector<std::size_t> queued(state.too_late.begin(), state.too_late.end());
  state.too_late.clear();
  for (const auto& [kind, queue] : state.ready.queues()) {
    for (const auto& [unused, position] : queue) queued.push_back(position);
  }
  state.ready = {};
  state.queued_gpu_s = 0;
  state.queued_cpu_s = 0;
  state.order_occasion = {};
  for (Trial& trial : state.trials) predict(state, trial);
  for (const std::size_t position : queued) insert_ready(state, position);
}

}  // namespace ditscale::orchestrator
