#pragma once

#include <string>
#include <vector>

namespace ditscale::slurm {

/// What a command of Slurm answered.
struct CommandResult {
  /// Exit code; 128 + n after signal n; empty `code` never.
  int code = 0;
  std::string out;
  std::string err;
  /// It did not end in time and was killed: whether it did its work is unknown.
  bool timed_out = false;
};

/// Runs a program (found on PATH) to its end, at most `limit_s` seconds, without a shell, with empty standard input and
/// dates in ISO form. Variables that would add options to Slurm's questions (SQUEUE_STATES and the like) are hidden
/// from it. Throws SystemError when it cannot be started, with what to do.
[[nodiscard]] CommandResult run_command(const std::vector<std::string>& argv, double limit_s);

/// As run_command, without the variables of the Slurm job or MPI rank that this process may be part of: sbatch hands
/// the environment on, and a job that has another's variables takes its shares and its rank for its own.
[[nodiscard]] CommandResult run_command_outside_job(const std::vector<std::string>& argv, double limit_s);

/// "squeue --jobs 1: exit code 1: slurm_load_jobs error: …", for messages.
[[nodiscard]] std::string describe(const std::vector<std::string>& argv, const CommandResult& result);

}  // namespace ditscale::slurm
