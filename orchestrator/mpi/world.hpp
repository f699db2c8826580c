#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <poll.h>

#include "orchestrator/mpi/doorbell.hpp"

namespace ditscale::orchestrator {

/// Bytes that came from another rank.
struct Received {
  int rank = 0;
  std::vector<std::uint8_t> bytes;
};

/// All ranks of this run. No call of MPI waits here: blocking ones spin, and an idle agent must leave its cores to the
/// trainers. One object per process; MPI cannot be started twice. Failed calls are SystemErrors.
class World {
 public:
  /// *Collective: all ranks.*
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  /// A process that ends without `finish` makes MPI end the whole job; that is what an error should do.
  ~World();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

  /// Starts sending, and wakes the receiver where it is on this host; the bytes are kept until they are gone. Messages
  /// between two ranks keep their order.
  void send(int rank, std::vector<std::uint8_t> bytes);
  /// The next message that has come, if any.
  [[nodiscard]] std::optional<Received> receive();
  /// Sleeps until a rank of this host has sent something, one of `others` is ready, or `seconds` have passed.
  void sleep(double seconds, std::vector<pollfd> others = {});
  /// True when every message was taken over by MPI.
  [[nodiscard]] bool all_sent();
  /// Bytes of messages that MPI has not taken over yet: they pile up when a receiver is slower than its senders.
  [[nodiscard]] std::size_t unsent_bytes();
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
