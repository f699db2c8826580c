#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "common/child_process.hpp"
#include "orchestrator/messages/messages.hpp"

namespace ditscale::orchestrator {

/// How an agent starts trainers.
struct TrainerSettings {
  /// Program that is called as `<worker> train …`.
  std::filesystem::path worker;
  /// Program that starts the processes of a gang; empty when there is none on PATH.
  std::filesystem::path mpirun;
  /// What mpirun needs in its environment.
  std::map<std::string, std::string> mpirun_environment;
  /// Kill a trainer that is silent for longer.
  double silence_s = 1800.0;
  /// Devices were counted in the order of the bus, so trainers must count them so too.
  bool gpus_by_bus = true;
};

/// One process on this node's devices, with a pipe for its events.
[[nodiscard]] common::SpawnOptions single_trainer(const StartMessage& order, const TrainerSettings& settings);

/// `mpirun` with a process for each device (or as many as were asked for), each on its node's share; the first writes
/// its events to the named pipe `events`. Throws SystemError when there is no mpirun.
[[nodiscard]] common::SpawnOptions gang_of_trainers(const StartMessage& order, const TrainerSettings& settings,
                                                    const std::filesystem::path& events);

}  // namespace ditscale::orchestrator
