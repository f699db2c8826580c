#pragma once

#include <random>
#include <vector>

#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/coordinator/makespan_bound.hpp"
#include "orchestrator/simulation/script.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::tools {

/// A trial with what it really takes.
struct MadeTrial {
  sweeps::Cell cell;
  orchestrator::Script script;
};

/// A trial on `gpus` GPUs, on at most as many nodes as it needs, that is predicted to take `seconds`, and really takes
/// `error` times that.
[[nodiscard]] MadeTrial make_trial(std::int64_t seed, std::int64_t gpus, double seconds, double error,
                                   std::int64_t gpus_per_node);

/// Trials of 1, 2, 4, 8 and two nodes' GPUs (40, 20, 15, 15 and 10 in a hundred), with lognormal times: median one
/// hour, sigma 0.75, nothing above five hours. Predictions are off by a lognormal factor of sigma `error_sigma`.
[[nodiscard]] std::vector<MadeTrial> make_grid(std::size_t num_trials, std::int64_t gpus_per_node, double error_sigma,
                                               std::mt19937_64& random);

[[nodiscard]] std::vector<orchestrator::AgentReport> make_cluster(int num_nodes, std::int64_t gpus_per_node);

/// The trials as the clock sees them, in the order given.
[[nodiscard]] std::vector<orchestrator::Job> jobs_of(const std::vector<MadeTrial>& trials);

}  // namespace ditscale::tools
