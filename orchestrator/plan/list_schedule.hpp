#pragma once

#include <vector>

#include "orchestrator/coordinator/makespan_bound.hpp"

namespace ditscale::orchestrator {

/// Seconds until all jobs are done when they are started in their order, each as soon as a node has room, later ones
/// ahead of one that does not fit. `nodes` are the devices of each node. Jobs that fit on no node are left out.
[[nodiscard]] double makespan_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs);

}  // namespace ditscale::orchestrator
