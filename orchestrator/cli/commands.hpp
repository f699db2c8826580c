#pragma once

#include <string>
#include <vector>

#include "common/exit_code.hpp"
#include "orchestrator/cli/options.hpp"

namespace ditscale::orchestrator {

[[nodiscard]] common::ExitCode plan_command(PlanOptions options, const Environment& environment);

/// Outside MPI: starts this program again under mpirun, with `arguments` (the command line without the program), and
/// watches over it. As a rank: coordinates (rank 0) or is an agent.
[[nodiscard]] common::ExitCode run_command(RunOptions options, const Environment& environment,
                                           const std::vector<std::string>& arguments);

[[nodiscard]] common::ExitCode status_command(const StatusOptions& options);

}  // namespace ditscale::orchestrator
