#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ditscale::orchestrator {

struct GpuFacts {
  /// As CUDA gives it: "NVIDIA H100 80GB HBM3".
  std::string name;
  double memory_bytes = 0;
};

/// Of this node's GPU with the least memory, by the driver's own nvidia-smi; empty where that is missing or says
/// nothing that is understood. Slices of a GPU (MIG) are not told from the whole.
[[nodiscard]] std::optional<GpuFacts> local_gpu_facts();

/// Out of "name, MiB" lines; those that are not understood are left out.
[[nodiscard]] std::vector<GpuFacts> parse_gpu_facts(const std::string& text);

}  // namespace ditscale::orchestrator
