#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ditscale::orchestrator {

/// Processes on one host, and the program with its arguments that each of them runs.
struct GangPart {
  std::string host;
  std::int64_t processes = 1;
  std::vector<std::string> command;
};

/// What `mpirun` is given to run the parts, which are on distinct hosts, as one job. `local` is this host: when it is
/// the only one, no remote shell and no batch system is asked. `exported` are the names of environment variables that
/// processes on other hosts need too. One process that dies, or ends with another code than 0, ends the job.
[[nodiscard]] std::vector<std::string> gang_arguments(const std::vector<GangPart>& parts,
                                                      const std::vector<std::string>& exported);

/// Prefixes of environment variables that would tie an inner `mpirun` to the job that it is started in.
[[nodiscard]] std::vector<std::string> outer_job_prefixes(bool one_host);

}  // namespace ditscale::orchestrator
