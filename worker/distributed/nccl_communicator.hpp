#pragma once

#include <optional>

#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include "worker/distributed/communicator.hpp"
#include "worker/distributed/mpi_session.hpp"

namespace ditscale::worker {

/// Sums over NCCL on this process's GPU, on the current stream or, beside the caller's work, on one of its own; MPI
/// carries the unique id at the start.
class NcclCommunicator final : public Communicator {
 public:
  explicit NcclCommunicator(torch::Device device);
  ~NcclCommunicator() override;
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  [[nodiscard]] std::int64_t rank() const override { return session_.rank(); }
  [[nodiscard]] std::int64_t size() const override { return session_.size(); }
  void all_reduce_sum(torch::Tensor& values) override;
  void start_all_reduce_sum(torch::Tensor values) override;
  void help_sums_on() override {}  // they run on the GPU
  void wait_for_sums() override;
  [[nodiscard]] std::int64_t value_of_first(std::int64_t value) override { return session_.value_of_first(value); }
  void abort_gang() override { session_.abort(); }

 private:
  void connect();
  void sum_over_ranks(const torch::Tensor& values, c10::cuda::CUDAStream stream);

  MpiSession session_;
  torch::Device device_;
  /// Its own stream.
  std::optional<c10::cuda::CUDAStream> stream_;
  ncclComm_t communicator_ = nullptr;
};

}  // namespace ditscale::worker
