#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ditscale::orchestrator {

/// One point that was looked at.
struct Finding {
  enum class Kind { kGood, kNote, kBad };
  std::string what;
  Kind kind = Kind::kGood;
  std::string text;
  /// What to do; empty when nothing need be done.
  std::string advice;
};

/// Whether mpirun starts processes on this host.
[[nodiscard]] Finding look_at_mpi(const std::string& path);

/// Looks at MPI, Slurm, the worker, the file system below `runs`, and this process's limits. Leaves nothing behind.
/// `path` is the value of PATH.
[[nodiscard]] std::vector<Finding> examine(const std::filesystem::path& runs, const std::filesystem::path& worker,
                                           const std::string& path);

}  // namespace ditscale::orchestrator
