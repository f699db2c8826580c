#pragma once

#include "common/exit_code.hpp"
#include "orchestrator/cli/options.hpp"

namespace ditscale::orchestrator {

/// A whole run in this process, which its launcher watches: coordinator and the only agent.
[[nodiscard]] common::ExitCode run_here(const RunOptions& options, const Environment& environment);

/// This process's part in an MPI job: rank 0 coordinates, every other rank is its node's agent.
[[nodiscard]] common::ExitCode run_rank(const RunOptions& options, const Environment& environment);

}  // namespace ditscale::orchestrator
