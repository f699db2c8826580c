#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::orchestrator {

/// What a trial asks for: equal processes, each whole on one node.
struct Ask {
  /// Of each process.
  std::int64_t cpus = 1;
  std::int64_t gpus = 0;
  std::int64_t processes = 1;
  /// Fewest processes to go on with when the nodes that are left cannot hold all.
  std::int64_t min_processes = processes;
  std::int64_t max_nodes = kAnyNumber;

  static constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();

  auto operator<=>(const Ask&) const = default;
  [[nodiscard]] bool is_gang() const { return processes > 1; }
  /// Of all processes.
  [[nodiscard]] std::int64_t total_cpus() const { return cpus * processes; }
  [[nodiscard]] std::int64_t total_gpus() const { return gpus * processes; }
  /// "1 cpu", "4 cpus and 1 gpu", "8 processes of 2 cpus and 1 gpu on at most 2 nodes".
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Ask ask_of(const sweeps::ResourceSpec& resources);

}  // namespace ditscale::orchestrator
