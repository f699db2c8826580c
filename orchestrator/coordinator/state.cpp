#include "orchestrator/coordinator/state.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "orchestrator/coordinator/room.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::orchestrator {

namespace {

ReadyQueue::Key key_of(const State& state, std::size_t position) {
  return {-state.trials[position].remaining_s(), position};
}

double assumed_macs_per_s(const Trial& trial) {
  const sweeps::ResourceSpec& resources = trial.cell.trial.resources;
  return sweeps::default_macs_per_s(resources) * static_cast<double>(trial.ask.processes) /
         static_cast<double>(resources.num_processes());
}

double prediction(const State& state, const Trial& trial) {
  const auto measured = state.rates.find(trial.ask);
  const double rate = measured != state.rates.end() ? measured->second : assumed_macs_per_s(trial);
  return sweeps::predicted_s(trial.cell.trial, rate);
}

}  // namespace

bool ReadyQueue::contains(const Ask& ask, Key key) const {
  const auto queue = queues_.find(ask);
  return queue != queues_.end() && queue->second.count(key) != 0;
}

void ReadyQueue::erase(const Ask& ask, Key key) {
  const auto queue = queues_.find(ask);
  DITSCALE_CHECK(queue != queues_.end() && queue->second.erase(key) == 1, "trial {} was not in the queue", key.second);
  if (queue->second.empty()) queues_.erase(queue);
}

State make_state(std::vector<sweeps::Cell> cells, const Policy& policy, double now_s, std::optional<double> limit_s) {
  State state;
  state.policy = policy;
  for (sweeps::Cell& cell : cells) {
    Trial trial;
    trial.ask = ask_of(cell.trial.resources);
    trial.cell = std::move(cell);
    trial.predicted_s = prediction(state, trial);
    state.positions.emplace(trial.cell.id, state.trials.size());
    state.trials.push_back(std::move(trial));
  }
  if (limit_s) {
    state.end_s = now_s + *limit_s;
    state.stop_at_s = *state.end_s - std::min(policy.stop_margin_s, *limit_s * policy.stop_margin_share);
  }
  return state;
}

Trial* find_trial(State& state, const common::TrialId& id) {
  const auto found = state.positions.find(id);
  return found == state.positions.end() ? nullptr : &state.trials[found->second];
}

void enqueue(State& state, std::size_t position, double now_s) {
  const Trial& trial = state.trials[position];
  if (trial.not_before_s > now_s) {
    state.waiting.emplace(trial.not_before_s, position);
  } else {
    state.ready.insert(trial.ask, key_of(state, position));
  }
}

void dequeue(State& state, std::size_t position) {
  state.ready.erase(state.trials[position].ask, key_of(state, position));
}

void fit_to_nodes(State& state) {
  for (std::size_t position = 0; position < state.trials.size(); ++position) {
    if (!state.trials[position].run) fit_to_nodes(state, position);
  }
}

void fit_to_nodes(State& state, std::size_t position) {
  Trial& trial = state.trials[position];
  const Ask ask = ask_for(state.nodes, trial.cell.trial);
  if (ask == trial.ask) return;
  const bool is_ready = state.ready.contains(trial.ask, key_of(state, position));
  if (is_ready) dequeue(state, position);
  trial.ask = ask;
  trial.predicted_s = prediction(state, trial);
  if (is_ready) state.ready.insert(ask, key_of(state, position));
}

void wake_waiting(State& state, double now_s) {
  while (!state.waiting.empty() && state.waiting.begin()->first <= now_s) {
    const std::size_t position = state.waiting.begin()->second;
    state.waiting.erase(state.waiting.begin());
    enqueue(state, position, now_s);
  }
}

void predict_all(State& state) {
  std::vector<std::size_t> queued;
  for (const auto& [ask, queue] : state.ready.queues()) {
    for (const auto& [unused, position] : queue) queued.push_back(position);
  }
  state.ready = {};
  for (Trial& trial : state.trials) trial.predicted_s = prediction(state, trial);
  for (const std::size_t position : queued) {
    state.ready.insert(state.trials[position].ask, key_of(state, position));
  }
}

}  // namespace ditscale::orchestrator
