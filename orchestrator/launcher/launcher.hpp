#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/coordinator/policy.hpp"

namespace ditscale::orchestrator {

/// How what the launcher started ended.
struct JobEnd {
  /// Its exit code, 128 + n after signal n.
  int code = 0;
  /// The first signal that asked this process for an end; empty when there was none.
  std::optional<int> stop_signal;
};

/// From here on signals that ask for an end (SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2) wait until they are looked for:
/// by run_job or await_stop.
void hold_stop_signals();
/// Sleeps `seconds`, or until one of those signals comes, which it returns.
[[nodiscard]] std::optional<int> await_stop(double seconds);

/// Starts `argv`, mpirun of an MPI job or a run in one process, and watches over it to its end. Ctrl-C and the like do
/// not reach the job itself (mpirun would kill it within a second): the first becomes the word "stop" on the
/// coordinator's standard input, the second "kill" (SIGUSR1 and SIGUSR2 only ever ask to save), and soon after that the
/// job is killed. Trainers whose agent was killed come to this process; it waits for them to save and end, and kills
/// those that do not. So nothing that was started is left when this returns. When this process is killed, the job gets
/// SIGTERM.
[[nodiscard]] JobEnd run_job(const std::vector<std::string>& argv, const Timing& timing);

/// A file that can be executed, and no folder.
[[nodiscard]] bool is_program(const std::filesystem::path& file);

/// The full path of `program` in `path` (the value of PATH); empty when it is not there.
[[nodiscard]] std::string find_program(const std::string& program, const std::string& path);

}  // namespace ditscale::orchestrator
