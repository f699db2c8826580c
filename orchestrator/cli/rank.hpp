#pragma once

#include "common/exit_code.hpp"
#include "orchestrator/cli/options.hpp"

namespace ditscale::orchestrator {

/// This process's part in an MPI job: rank 0 coordinates, every other rank is its node's agent.
[[nodiscard]] common::ExitCode run_rank(const RunOptions& options, const Environment& environment);

}  // namespace ditscale::orchestrator
