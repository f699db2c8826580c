#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "orchestrator/messages/world.hpp"
#include "orchestrator/mpi/doorbell.hpp"

namespace ditscale::orchestrator {

/// The ranks of an MPI job. No call of MPI waits here: blocking ones spin. One object per process; MPI cannot be
/// started twice. Failed calls are SystemErrors.
class MpiWorld : public World {
 public:
  /// *Collective: all ranks.*
  MpiWorld();
  /// A process that ends without `finish` makes MPI end the whole job; that is what an error should do.
  ~MpiWorld() override;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  /// Wakes the receiver where it is on this host; the bytes are kept until they are gone.
  void send(int rank, Message message) override;
  [[nodiscard]] std::optional<Received> receive() override;
  void sleep(double seconds, std::vector<pollfd> others = {}) override;
  [[nodiscard]] bool all_sent() override;
  [[nodiscard]] std::size_t unsent_bytes() override;
  /// *Collective: all ranks.* Ends MPI.
  void finish();

 private:
  struct Pending;
  std::list<std::unique_ptr<Pending>> pending_;
  Doorbell bell_;
  /// By rank.
  std::vector<Doorbell::Address> bells_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace ditscale::orchestrator
