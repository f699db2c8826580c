#pragma once

#include <vector>

#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/coordinator/makespan_bound.hpp"

namespace ditscale::tools {

/// Seconds until all jobs are done when they start in their order and none goes ahead of one that waits.
[[nodiscard]] double first_in_first_out_s(const std::vector<orchestrator::AgentReport>& agents,
                                          const std::vector<orchestrator::Job>& jobs);

/// The same when nodes are split beforehand into blocks as wide as the widest job, and each block gets an equal,
/// contiguous part of the jobs (static packing).
[[nodiscard]] double static_chunks_s(const std::vector<orchestrator::AgentReport>& agents,
                                     const std::vector<orchestrator::Job>& jobs);

}  // namespace ditscale::tools
