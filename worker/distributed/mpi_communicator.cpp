#include "worker/distributed/mpi_communicator.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

void sum_over_ranks(const torch::Tensor& values) {
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

}  // namespace

void MpiCommunicator::all_reduce_sum(torch::Tensor& values) {
  DITSCALE_CHECK(!thread_speaks_, "sums have begun that nobody waited for");
  sum_over_ranks(values);
}

void MpiCommunicator::start_all_reduce_sum(torch::Tensor values) {
  thread_speaks_ = true;
  thread_.start([values = std::move(values)] { sum_over_ranks(values); });
}

void MpiCommunicator::wait_for_sums() {
  thread_.wait();
  thread_speaks_ = false;
}

std::int64_t MpiCommunicator::value_of_first(std::int64_t value) {
  DITSCALE_CHECK(!thread_speaks_, "sums have begun that nobody waited for");
  return session_.value_of_first(value);
}

}  // namespace ditscale::worker
