#pragma once

#include "worker/distributed/communicator.hpp"
#include "worker/distributed/mpi_session.hpp"
#include "worker/distributed/serial_thread.hpp"

namespace ditscale::worker {

/// Sums over MPI, for tensors in the processor's memory. Sums beside the caller's work run on a thread, which alone
/// speaks to the other ranks meanwhile: MPI itself goes on only where somebody is inside one of its calls.
class MpiCommunicator final : public Communicator {
 public:
  [[nodiscard]] std::int64_t rank() const override { return session_.rank(); }
  [[nodiscard]] std::int64_t size() const override { return session_.size(); }
  void all_reduce_sum(torch::Tensor& values) override;
  void start_all_reduce_sum(torch::Tensor values) override;
  void wait_for_sums() override;
  [[nodiscard]] std::int64_t value_of_first(std::int64_t value) override;
  void abort_gang() override { session_.abort(); }

 private:
  MpiSession session_;
  SerialThread thread_;
  bool thread_speaks_ = false;
};

}  // namespace ditscale::worker
