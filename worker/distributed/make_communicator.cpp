#include "common/error.hpp"
#include "worker/distributed/communicator.hpp"
#include "worker/distributed/mpi_communicator.hpp"
#ifdef DITSCALE_HAVE_NCCL
#include "worker/distributed/nccl_communicator.hpp"
#endif

namespace ditscale::worker {

std::unique_ptr<Communicator> make_communicator(const Launch& launch, torch::Device device) {
  // MPI_Init outside mpirun would start a daemon of its own: a process by itself does without.
  if (!launch.under_mpi) return std::make_unique<SingleProcess>();
  if (device.is_cpu()) return std::make_unique<MpiCommunicator>();
#ifdef DITSCALE_HAVE_NCCL
  return std::make_unique<NcclCommunicator>(device);
#else
  throw common::ConfigError(
      "several GPUs need NCCL, and this build has none: install it and configure again, or use --device cpu");
#endif
}

}  // namespace ditscale::worker
