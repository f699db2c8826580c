#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace ditscale::orchestrator {

/// What a trial asks for.
struct Ask {
  std::int64_t cpus = 1;
  std::int64_t gpus = 0;
  auto operator<=>(const Ask&) const = default;
  /// "1 cpu" or "4 cpus and 1 gpu".
  [[nodiscard]] std::string text() const;
};

/// Named devices of one node.
struct Devices {
  /// Logical processors, by the kernel's numbers.
  std::vector<int> cpus;
  /// As CUDA_VISIBLE_DEVICES names them: an index or a UUID.
  std::vector<std::string> gpus;

  bool operator==(const Devices&) const = default;
  [[nodiscard]] bool covers(const Ask& ask) const;
  /// Takes the first that serve `ask` out of this set, which must cover it.
  [[nodiscard]] Devices take(const Ask& ask);
  /// Puts devices back; each must be absent.
  void give_back(const Devices& devices);
  /// "cpu 0,1" or "gpu 3, cpu 0".
  [[nodiscard]] std::string text() const;
};

}  // namespace ditscale::orchestrator
