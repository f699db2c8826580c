#include "orchestrator/plan/memory.hpp"

#include <algorithm>

#include <unistd.h>

#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::orchestrator {

double local_memory_bytes() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double process_memory_bytes(const sweeps::TrialSpec& trial, std::int64_t micro_batch) {
  constexpr std::int64_t kBytesPerValue = 4;
  return static_cast<double>(sweeps::training_state_bytes(trial.shape())) +
         static_cast<double>(sweeps::activation_bytes(trial.shape(), micro_batch, kBytesPerValue));
}

std::optional<double> available_memory_bytes(const sweeps::TrialSpec& trial, const std::vector<AgentReport>& agents,
                                             const DeviceMemory& memory) {
  if (trial.resources.gpus > 0) return memory.gpu_bytes;
  if (!memory.node_bytes) return std::nullopt;
  std::int64_t most_together = 0;
  for (const AgentReport& agent : agents) {
    most_together = std::max(most_together, agent.devices.room_for(ask_of(trial.resources)));
  }
  if (most_together == 0) return std::nullopt;
  return *memory.node_bytes / static_cast<double>(most_together);
}

std::int64_t largest_micro_batch(const sweeps::TrialSpec& trial, double available_bytes) {
  const std::int64_t share = trial.train.global_batch / trial.resources.num_processes();
  std::int64_t largest = 0;
  const auto consider = [&](std::int64_t images) {
    if (images > largest && process_memory_bytes(trial, images) <= available_bytes) largest = images;
  };
  for (std::int64_t divisor = 1; divisor <= share / divisor; ++divisor) {
    if (share % divisor != 0) continue;
    consider(divisor);
    consider(share / divisor);
  }
  return largest;
}

}  // namespace ditscale::orchestrator
