#include "orchestrator/mpi/launch_arguments.hpp"

#include <mpi.h>

namespace ditscale::orchestrator {

namespace {

std::vector<std::string> arguments_for(std::size_t num_ranks) {
  std::vector<std::string> arguments{"-n", std::to_string(num_ranks)};
#ifdef OPEN_MPI
  arguments.insert(arguments.end(), {"--quiet", "--oversubscribe", "--bind-to", "none"});
#endif
  return arguments;
}

}  // namespace

std::vector<std::string> launch_arguments(int num_ranks) {
  std::vector<std::string> arguments = arguments_for(static_cast<std::size_t>(num_ranks));
#ifdef OPEN_MPI
  // Looking for a fabric's library takes two thirds of the start, and none is needed inside a host.
  arguments.insert(arguments.end(), {"--mca", "pml", "ob1"});
  // An mpirun started by its full path puts its library folder first in LD_LIBRARY_PATH, for other hosts; trainers
  // would look there for every library they load.
  arguments.emplace_back("--noprefix");
#endif
  return arguments;
}

std::vector<std::string> launch_arguments(const std::vector<std::string>& nodes) {
  std::vector<std::string> arguments = arguments_for(nodes.size() + 1);
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
