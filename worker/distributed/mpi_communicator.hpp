#pragma once

#include <vector>

#include "worker/distributed/communicator.hpp"
#include "worker/distributed/mpi_session.hpp"

namespace ditscale::worker {

/// Sums over MPI, for tensors in the processor's memory. Sums beside the caller's work go on whenever it calls in: a
/// thread for them would take its processor from the backward pass while it waits for the other ranks.
class MpiCommunicator final : public Communicator {
 public:
  [[nodiscard]] std::int64_t rank() const override { return session_.rank(); }
  [[nodiscard]] std::int64_t size() const override { return session_.size(); }
  void all_reduce_sum(torch::Tensor& values) override;
  void start_all_reduce_sum(torch::Tensor values) override;
  void help_sums_on() override;
  void wait_for_sums() override;
  [[nodiscard]] std::int64_t value_of_first(std::int64_t value) override { return session_.value_of_first(value); }
  void abort_gang() override { session_.abort(); }

 private:
  MpiSession session_;
  /// Sums that have begun, and what they work on.
  std::vector<MPI_Request> sums_;
  std::vector<torch::Tensor> values_;
};

}  // namespace ditscale::worker
