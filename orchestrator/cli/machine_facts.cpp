#include "orchestrator/cli/machine_facts.hpp"

#include <algorithm>

#include "orchestrator/agent/gpu_facts.hpp"

namespace ditscale::orchestrator {

MachineFacts this_machine(const sweeps::Sweep& sweep) {
  MachineFacts machine;
  machine.memory.node_bytes = local_memory_bytes();
  const bool needs_gpu = std::any_of(sweep.cells.begin(), sweep.cells.end(),
                                     [](const sweeps::Cell& cell) { return cell.trial.resources.gpus > 0; });
  if (!needs_gpu) return machine;
  if (const auto gpu = local_gpu_facts()) {
    machine.gpu_name = gpu->name;
    machine.memory.gpu_bytes = gpu->memory_bytes;
  }
  return machine;
}

}  // namespace ditscale::orchestrator
