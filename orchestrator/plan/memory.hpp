#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/coordinator/events.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::orchestrator {

/// Memory of the devices that are planned for; empty: unknown.
struct DeviceMemory {
  /// Of one GPU.
  std::optional<double> gpu_bytes;
  /// Of one node; its processors' trials share it.
  std::optional<double> node_bytes;
};

/// Averages of the weights that a process keeps for post-hoc EMA, and writes into each checkpoint and snapshot.
inline constexpr double kPowerAverages = 2;

/// Main memory of this machine.
[[nodiscard]] double local_memory_bytes();

/// Training state and the activations of `micro_batch` images of one process; an estimate without the allocator's
/// slack. `precision`: "fp32"; or "bf16", where inputs and outputs of matrix products take half, beside a copy of the
/// weights, while the residual stream and the norms stay as they are (LibTorch's autocast).
[[nodiscard]] double process_memory_bytes(const sweeps::TrialSpec& trial, std::int64_t micro_batch,
                                          const std::string& precision);
/// At the precision that is expected of the trial.
[[nodiscard]] double process_memory_bytes(const sweeps::TrialSpec& trial, std::int64_t micro_batch);

/// What one of the trial's processes has: a GPU's memory; or, of a node's, the part that is left to each when the node
/// is full of such processes, on the node where that is least. Empty when unknown, or when no node has room for one.
[[nodiscard]] std::optional<double> available_memory_bytes(const sweeps::TrialSpec& trial,
                                                           const std::vector<AgentReport>& agents,
                                                           const DeviceMemory& memory);

/// The largest divisor of each process's share of the batch whose memory fits; 0 when not even one image does.
[[nodiscard]] std::int64_t largest_micro_batch(const sweeps::TrialSpec& trial, double available_bytes);

}  // namespace ditscale::orchestrator
