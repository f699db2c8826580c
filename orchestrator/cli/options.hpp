#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

#include "orchestrator/agent/inventory.hpp"
#include "orchestrator/coordinator/policy.hpp"

namespace ditscale::orchestrator {

/// What main reads from the process's surroundings.
struct Environment {
  /// This program's own file.
  std::filesystem::path program;
  /// Value of PATH.
  std::string path;
  /// Started by mpirun: this process is a rank.
  bool under_mpi = false;
  bool is_root = false;
  /// Columns of the terminal on standard output; 0 when it is none.
  std::size_t terminal_columns = 0;
  std::optional<std::string> visible_gpus;
};

/// A sweep file and where its study lives.
struct SweepChoice {
  std::filesystem::path file;
  std::vector<std::string> assignments;
  std::filesystem::path runs = "runs";
};

struct PlanOptions {
  SweepChoice sweep;
  DeviceLimits limits;
  bool json = false;
};

struct RunOptions {
  SweepChoice sweep;
  DeviceLimits limits;
  Policy policy;
  Timing timing;
  /// Wall-clock limit in seconds.
  std::optional<double> limit_s;
  /// The program that trains; absent: `worker` beside this program.
  std::optional<std::filesystem::path> worker;
  bool json = false;
  bool dry_run = false;
  /// Set by the launcher for its ranks.
  std::optional<pid_t> launcher;
  std::size_t live_columns = 0;
};

struct StatusOptions {
  /// A sweep's name or file, a study's folder, or "last".
  std::string study = "last";
  std::filesystem::path runs = "runs";
  bool json = false;
};

using Options = std::variant<PlanOptions, RunOptions, StatusOptions>;

}  // namespace ditscale::orchestrator
