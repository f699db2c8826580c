#include "worker/distributed/mpi_communicator.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

/// Calls `reduce(data, count)` for pieces of the values: MPI counts are int.
template <typename Reduce>
void for_each_piece(const torch::Tensor& values, Reduce reduce) {
  DITSCALE_CHECK(values.is_cpu() && values.is_contiguous() && values.scalar_type() == torch::kFloat32,
                 "not a processor's float32 buffer");
  constexpr std::int64_t kPiece = std::int64_t{1} << 28;
  float* data = values.data_ptr<float>();
  for (std::int64_t at = 0; at < values.numel(); at += kPiece)
    reduce(data + at, static_cast<int>(std::min(kPiece, values.numel() - at)));
}

}  // namespace

void MpiCommunicator::all_reduce_sum(torch::Tensor& values) {
  for_each_piece(values, [](float* data, int count) {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, data, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD), "MPI_Allreduce");
  });
}

void MpiCommunicator::start_all_reduce_sum(torch::Tensor values) {
  for_each_piece(values, [this](float* data, int count) {
    check_mpi(MPI_Iallreduce(MPI_IN_PLACE, data, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD,
                             &sums_.emplace_back(MPI_REQUEST_NULL)),
              "MPI_Iallreduce");
  });
  values_.push_back(std::move(values));
}

void MpiCommunicator::help_sums_on() {
  int done = 0;
  check_mpi(MPI_Testall(static_cast<int>(sums_.size()), sums_.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall");
}

void MpiCommunicator::wait_for_sums() {
  check_mpi(MPI_Waitall(static_cast<int>(sums_.size()), sums_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  sums_.clear();
  values_.clear();
}

}  // namespace ditscale::worker
