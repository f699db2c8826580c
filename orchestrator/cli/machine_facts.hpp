#pragma once

#include <string>

#include "orchestrator/plan/memory.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// What a plan is to know of the machine beside its devices.
struct MachineFacts {
  /// As CUDA gives it; empty: unknown.
  std::string gpu_name = {};
  DeviceMemory memory = {};
};

/// Of this machine. Its GPUs are looked at only when a trial of the sweep asks for one.
[[nodiscard]] MachineFacts this_machine(const sweeps::Sweep& sweep);

}  // namespace ditscale::orchestrator
