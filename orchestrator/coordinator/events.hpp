#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/event.hpp"
#include "common/ids.hpp"
#include "orchestrator/coordinator/devices.hpp"
#include "sweeps/spec/speed.hpp"

namespace ditscale::orchestrator {

/// An agent and its node's devices.
struct AgentReport {
  int agent = 0;
  /// The machine: agents that name the same one see the same devices.
  std::string host;
  Devices devices;
  /// What the batch system calls the node, and so its mpirun; empty: as the host.
  std::string node = {};
  /// Of its GPUs, as CUDA gives it; empty when that is not known.
  std::string gpu_name = {};

  [[nodiscard]] const std::string& node_name() const { return node.empty() ? host : node; }
};

/// These agents are ready to start trainers. One event for all: a trial that fits only on the last is not given up
/// after the first.
struct AgentsJoined {
  std::vector<AgentReport> agents;
};

/// An agent and everything that ran on it is gone.
struct AgentLost {
  int agent = 0;
  std::string reason;
};

/// A trainer's event, from the pipe or from its file.
struct TrainerSpoke {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  common::Event event;
};

/// A trainer's process is gone. All its events were given before.
struct TrainerEnded {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  /// Exactly one of the two, unless it could not even be started.
  std::optional<int> code;
  std::optional<int> signal;
  /// "exit code 1", "signal 9 (Killed)", or why it could not be started.
  std::string how;
  /// The agent killed it because it was silent this long.
  std::optional<double> silent_s;
  /// Last lines of its log.
  std::string log_tail;
};

/// The user (or the batch system) wants an end: save and stop, or kill at once.
struct StopRequested {
  bool at_once = false;
};

/// What the devices really reach, for the predictions.
struct SpeedMeasured {
  Ask ask;
  sweeps::Speed speed;
};

/// The coordinator stood still for so long, and the trainers with it: the job was suspended.
struct StoodStill {
  double seconds = 0;
};

/// Time has passed.
struct Tick {};

using ClusterEvent =
    std::variant<AgentsJoined, AgentLost, TrainerSpoke, TrainerEnded, StopRequested, SpeedMeasured, StoodStill, Tick>;

}  // namespace ditscale::orchestrator
