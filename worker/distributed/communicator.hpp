#pragma once

#include <cstdint>
#include <memory>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// The processes that train one trial together. Every call but rank() and size() is *collective: all ranks*. The thread
/// that made this object makes them all; beside a GPU sums may begin on the thread of the backward pass.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual std::int64_t rank() const = 0;
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Sums a contiguous float32 tensor over all ranks, in place.
  virtual void all_reduce_sum(torch::Tensor& values) = 0;
  /// Begins the same while this thread goes on. All ranks begin the same sums in the same order; until wait_for_sums()
  /// the values are not to be touched, and only further sums may begin. On a GPU it begins after what the current
  /// stream has to do.
  virtual void start_all_reduce_sum(torch::Tensor values) = 0;
  /// Lets them go on while this thread works: now and then in between, since not every library does so by itself.
  virtual void help_sums_on() = 0;
  /// Returns when all sums that have begun are there; on a GPU, when the current stream waits for them. Throws what
  /// they met.
  virtual void wait_for_sums() = 0;
  /// Rank 0's value, on every rank.
  [[nodiscard]] virtual std::int64_t value_of_first(std::int64_t value) = 0;
  /// Ends every rank of a gang, this one included, since the others would wait for this one for ever. By itself:
  /// nothing.
  virtual void abort_gang() = 0;

  [[nodiscard]] bool is_first() const { return rank() == 0; }
};

/// One process by itself.
class SingleProcess final : public Communicator {
 public:
  [[nodiscard]] std::int64_t rank() const override { return 0; }
  [[nodiscard]] std::int64_t size() const override { return 1; }
  void all_reduce_sum(torch::Tensor& values) override { (void)values; }
  void start_all_reduce_sum(torch::Tensor values) override { (void)values; }
  void help_sums_on() override {}
  void wait_for_sums() override {}
  [[nodiscard]] std::int64_t value_of_first(std::int64_t value) override { return value; }
  void abort_gang() override {}
};

/// What mpirun says of this process; one process when it was not started by mpirun.
struct Launch {
  bool under_mpi = false;
  /// Rank among the processes of this node: the device to take.
  std::int64_t local_rank = 0;
  /// Processes on this node; 0 when the launcher does not say.
  std::int64_t local_size = 1;
};

/// Single, MPI (processor) or NCCL (GPU), as the launch and the device ask. Throws ConfigError for several ranks on
/// GPUs in a build without NCCL, SystemError when MPI or NCCL fails.
[[nodiscard]] std::unique_ptr<Communicator> make_communicator(const Launch& launch, torch::Device device);

}  // namespace ditscale::worker
