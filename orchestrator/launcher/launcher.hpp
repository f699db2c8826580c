#pragma once

#include <string>
#include <vector>

#include "orchestrator/coordinator/policy.hpp"

namespace ditscale::orchestrator {

/// Starts `argv` (mpirun and its arguments) and watches over it to its end; returns its exit code, 128 + n after
/// signal n. Ctrl-C, SIGTERM and SIGHUP do not reach the MPI job itself (mpirun would kill it within a second): the
/// first becomes the word "stop" on rank 0's standard input, the second "kill", and soon after that the job is killed.
/// Trainers whose agent was killed come to this process; it waits for them to save and end, and kills those that do
/// not. So nothing that was started is left when this returns. When this process is killed, mpirun gets SIGTERM.
[[nodiscard]] int run_mpi_job(const std::vector<std::string>& argv, const Timing& timing);

/// The full path of `program` in `path` (the value of PATH); empty when it is not there.
[[nodiscard]] std::string find_program(const std::string& program, const std::string& path);

}  // namespace ditscale::orchestrator
