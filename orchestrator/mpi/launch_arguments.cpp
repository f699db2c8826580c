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

std::vector<std::pair<std::string, std::string>> root_permissions() {
#ifdef OPEN_MPI
  return {{"OMPI_ALLOW_RUN_AS_ROOT", "1"}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};
#else
  return {};
#endif
}

}  // namespace ditscale::orchestrator
