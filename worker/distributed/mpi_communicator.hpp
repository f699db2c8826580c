#pragma once

#include "worker/distributed/communicator.hpp"
#include "worker/distributed/mpi_session.hpp"

namespace ditscale::worker {

/// Sums over MPI, for tensors in the processor's memory.
class MpiCommunicator final : public Communicator {
 public:
  [[nodiscard]] std::int64_t rank() const override { return session_.rank(); }
  [[nodiscard]] std::int64_t size() const override { return session_.size(); }
  void all_reduce_sum(torch::Tensor& values) override;
  [[nodiscard]] std::int64_t value_of_first(std::int64_t value) override { return session_.value_of_first(value); }
  void abort_gang() override { session_.abort(); }

 private:
  MpiSession session_;
};

}  // namespace ditscale::worker
