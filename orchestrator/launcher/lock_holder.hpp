#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace ditscale::orchestrator {

/// The process to be told when the run that holds a study's lock shall stop, as the run has written it into the lock.
struct LockHolder {
  std::string host;
  pid_t pid = -1;
  /// Clock ticks from the start of the host to that of the process: a number may be given to another process later.
  std::uint64_t start_ticks = 0;

  /// True when that very process lives, and this is its host.
  [[nodiscard]] bool is_here() const;
};

/// Writes into the lock file that `pid`, of this host, is to be told. This run holds the lock.
void sign_lock(const std::filesystem::path& lock, pid_t pid);

/// Who has signed the lock last, which says nothing while nobody holds it. Empty where nobody has, as in a run of a
/// version that did not.
[[nodiscard]] std::optional<LockHolder> holder_of(const std::filesystem::path& lock);

}  // namespace ditscale::orchestrator
