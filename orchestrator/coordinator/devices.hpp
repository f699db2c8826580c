#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/coordinator/ask.hpp"

namespace ditscale::orchestrator {

/// Named devices of one node.
struct Devices {
  /// Logical processors, by the kernel's numbers.
  std::vector<int> cpus;
  /// As CUDA_VISIBLE_DEVICES names them: an index or a UUID.
  std::vector<std::string> gpus;

  bool operator==(const Devices&) const = default;
  /// How many of the processes that `ask` describes find room here.
  [[nodiscard]] std::int64_t room_for(const Ask& ask) const;
  /// Takes the first that serve `processes` of `ask` out of this set, which must have room for them.
  [[nodiscard]] Devices take(const Ask& ask, std::int64_t processes);
  /// Puts devices back; each must be absent.
  void give_back(const Devices& devices);
  /// "cpu 0,1" or "gpu 3, cpu 0".
  [[nodiscard]] std::string text() const;
};

/// The processes of a trial that one node runs, and what they were given there.
struct Share {
  int agent = 0;
  std::string host;
  std::int64_t processes = 1;
  Devices devices;

  bool operator==(const Share&) const = default;
};
/// A running trial's, never empty. The agent of the first starts them all.
using Shares = std::vector<Share>;

[[nodiscard]] std::int64_t num_processes(const Shares& shares);
/// "cpu 0,1" on one node; "a: cpu 0; b: cpu 0,1" on several.
[[nodiscard]] std::string devices_text(const Shares& shares);
/// "a" or "a,b".
[[nodiscard]] std::string hosts_text(const Shares& shares);

}  // namespace ditscale::orchestrator
