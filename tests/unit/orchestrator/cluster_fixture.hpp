#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/coordinator/reactor.hpp"
#include "orchestrator/coordinator/restore.hpp"

namespace ditscale::orchestrator {

/// A tiny trial that is told apart by its seed. By the roofline a core takes 3 s to start it and then about 0.6 ms a
/// step.
inline sweeps::Cell make_cell(std::int64_t seed, std::int64_t steps = 1000, sweeps::ResourceSpec resources = {1, 0},
                              std::int64_t checkpoint_every = 100) {
  sweeps::Cell cell;
  cell.trial.seed = seed;
  cell.trial.model.depth = 1;
  cell.trial.model.width = 16;
  cell.trial.model.heads = 2;
  cell.trial.model.patch = 7;
  cell.trial.train.global_batch = 8;
  cell.trial.train.steps = steps;
  cell.trial.checkpoint.every_steps = checkpoint_every;
  cell.trial.resources = resources;
  cell.axes = {{"seed", seed}};
  cell.id = cell.trial.id();
  return cell;
}

inline Devices make_devices(int num_cpus, int num_gpus = 0) {
  Devices devices;
  for (int i = 0; i < num_cpus; ++i) devices.cpus.push_back(i);
  for (int i = 0; i < num_gpus; ++i) devices.gpus.push_back(std::to_string(i));
  return devices;
}

inline common::Event make_event(std::int64_t number, const std::string& kind, common::Json body) {
  common::Event event;
  event.number = number;
  event.time_s = static_cast<double>(number);
  event.kind = kind;
  event.body = std::move(body);
  return event;
}

template <typename Kind>
std::vector<Kind> all_of(const Actions& actions) {
  std::vector<Kind> found;
  for (const Action& action : actions) {
    if (const auto* each = std::get_if<Kind>(&action)) found.push_back(*each);
  }
  return found;
}

/// A coordinator's state with verbs around it. Time passes by itself, a second each event.
class ClusterFixture : public ::testing::Test {
 protected:
  void sweep_of(std::vector<sweeps::Cell> cells, std::optional<double> limit_s = std::nullopt) {
    state = make_state(std::move(cells), policy, now_s, limit_s);
    ASSERT_TRUE(restore_nothing());
  }

  Actions give(const ClusterEvent& event) {
    now_s += 1;
    actions = react(state, event, now_s);
    return actions;
  }
  Actions wait(double seconds) {
    now_s += seconds;
    return give(Tick{});
  }
  Actions join(std::vector<AgentReport> agents) { return give(AgentsJoined{std::move(agents)}); }
  Actions join_one(int num_cpus, int num_gpus = 0) { return join({{1, "host", make_devices(num_cpus, num_gpus)}}); }

  Actions speak(std::size_t trial, const std::string& kind, common::Json body) {
    auto& run = state.trials[trial].run;
    const std::int64_t number = run ? run->last_event + 1 : 1;
    return give(TrainerSpoke{id(trial), attempt(trial), make_event(number, kind, std::move(body))});
  }
  Actions checkpoint(std::size_t trial, std::int64_t step) { return speak(trial, "checkpoint", {{"step", step}}); }
  Actions end(std::size_t trial, int code) {
    TrainerEnded ended{id(trial), attempt(trial), code, std::nullopt, "exit code " + std::to_string(code), {}, {}};
    return give(ended);
  }
  Actions die(std::size_t trial, int signal) {
    return give(
        TrainerEnded{id(trial), attempt(trial), std::nullopt, signal, "signal " + std::to_string(signal), {}, {}});
  }
  /// The trainer says how it ended, and ends.
  Actions end_with(std::size_t trial, const std::string& outcome, const std::string& reason = "") {
    speak(trial, "outcome", {{"state", outcome}, {"reason", reason}});
    return end(trial, outcome == "succeeded" ? 0 : 1);
  }

  [[nodiscard]] const common::TrialId& id(std::size_t trial) const { return state.trials[trial].cell.id; }
  [[nodiscard]] common::AttemptNumber attempt(std::size_t trial) const {
    return common::AttemptNumber{state.trials[trial].num_attempts};
  }
  /// Trials that the last actions start, by their position in the sweep.
  [[nodiscard]] std::vector<std::size_t> started() const {
    std::vector<std::size_t> positions;
    for (const auto& start : all_of<StartTrainer>(actions)) positions.push_back(state.positions.at(start.trial));
    return positions;
  }

  Policy policy;
  State state;
  Actions actions;
  double now_s = 1000;

 private:
  bool restore_nothing() {
    for (std::size_t position = 0; position < state.trials.size(); ++position) enqueue(state, position, now_s);
    return !state.trials.empty();
  }
};

}  // namespace ditscale::orchestrator
