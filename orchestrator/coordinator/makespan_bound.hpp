#pragma once

#include <vector>

#include "orchestrator/coordinator/ask.hpp"

namespace ditscale::orchestrator {

/// A trial as the clock sees it.
struct Job {
  Ask ask;
  double seconds = 0;
};

/// No schedule on these nodes (`nodes` are the devices of each) is shorter. For the cores and for the GPUs, the largest
/// of: the longest job; all work spread evenly over all devices; the sum of the jobs that hold more than half of them
/// (no two overlap); and the two shortest of the fewest longest jobs that together want more than there are (some two
/// of those do not overlap: Graham's bound for machines of width one). Jobs must fit.
[[nodiscard]] double makespan_bound_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs);

}  // namespace ditscale::orchestrator
