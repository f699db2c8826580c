#pragma once

#include <vector>

#include "orchestrator/coordinator/devices.hpp"

namespace ditscale::orchestrator {

/// A trial as the clock sees it.
struct Job {
  Ask ask;
  double seconds = 0;
};

/// Seconds until all jobs are done when they are started in their order, each as soon as a node has room, later ones
/// ahead of one that does not fit. `nodes` are the devices of each node. Jobs that fit on no node are left out.
[[nodiscard]] double makespan_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs);

/// No schedule is shorter: the longest job, or all work spread evenly over all devices.
[[nodiscard]] double makespan_bound_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs);

}  // namespace ditscale::orchestrator
