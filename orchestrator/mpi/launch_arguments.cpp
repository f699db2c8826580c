#include "orchestrator/mpi/launch_arguments.hpp"

#include <mpi.h>

namespace ditscale::orchestrator {

std::vector<std::string> launch_arguments(int num_ranks) {
  std::vector<std::string> arguments{"-n", std::to_string(num_ranks)};
#ifdef OPEN_MPI
  arguments.insert(arguments.end(), {"--quiet", "--oversubscribe", "--bind-to", "none"});
#endif
  return arguments;
}

std::vector<std::string> launch_arguments(const std::vector<std::string>& nodes) {
  std::vector<std::string> arguments = launch_arguments(static_cast<int>(nodes.size()) + 1);
  std::string places;
  for (const std::string& node : nodes) places += places.empty() ? node + ":2" : "," + node + ":1";
#ifdef OPEN_MPI
  arguments.insert(arguments.end(), {"--host", places});
#else
  arguments.insert(arguments.end(), {"-hosts", places});  // MPICH and its relatives (Hydra)
#endif
  return arguments;
}

std::vector<std::pair<std::string, std::string>> root_permissions() {
#ifdef OPEN_MPI
  return {{"OMPI_ALLOW_RUN_AS_ROOT", "1"}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};
#else
  return {};
#endif
}

}  // namespace ditscale::orchestrator
