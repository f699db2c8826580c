#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ditscale::orchestrator {

/// What `mpirun` of the MPI this was built with is given to start `num_ranks` ranks on this host: more ranks than cores
/// are fine (coordinator and agents sleep), nothing is bound to a core (agents hand those out), and exit codes other
/// than 0 are ours to explain.
[[nodiscard]] std::vector<std::string> launch_arguments(int num_ranks);

/// The same on the nodes of a batch job: ranks 0 and 1 on the first node, one rank on each other.
[[nodiscard]] std::vector<std::string> launch_arguments(const std::vector<std::string>& nodes);

/// Environment variables that this MPI needs to run as root, with their values.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> root_permissions();

}  // namespace ditscale::orchestrator
