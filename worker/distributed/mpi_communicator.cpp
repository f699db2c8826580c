#include "worker/distributed/mpi_communicator.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace ditscale::worker {

void MpiCommunicator::all_reduce_sum(torch::Tensor& values) {
  DITSCALE_CHECK(values.is_cpu() && values.is_contiguous() && values.scalar_type() == torch::kFloat32,
                 "not a processor's float32 buffer");
  // MPI counts are int: large buffers go in pieces.
  constexpr std::int64_t kPiece = std::int64_t{1} << 28;
  float* data = values.data_ptr<float>();
  for (std::int64_t at = 0; at < values.numel(); at += kPiece) {
    const auto count = static_cast<int>(std::min(kPiece, values.numel() - at));
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, data + at, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD), "MPI_Allreduce");
  }
}

}  // namespace ditscale::worker
