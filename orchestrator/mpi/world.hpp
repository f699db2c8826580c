#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace ditscale::orchestrator {

/// Bytes that came from another rank.
struct Received {
  int rank = 0;
  std::vector<std::uint8_t> bytes;
};

/// All ranks of this run. Nothing here waits: blocking MPI calls spin, and an idle agent must leave its cores to the
/// trainers. One object per process; MPI cannot be started twice. Failed calls are SystemErrors.
class World {
 public:
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  /// A process that ends without `finish` makes MPI end the whole job; that is what an error should do.
  ~World();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

  /// Starts sending; the bytes are kept until they are gone. Messages between two ranks keep their order.
  void send(int rank, std::vector<std::uint8_t> bytes);
  /// The next message that has come, if any.
  [[nodiscard]] std::optional<Received> receive();
  /// True when every message was taken over by MPI.
  [[nodiscard]] bool all_sent();
  /// *Collective: all ranks.* Ends MPI.
  void finish();

 private:
  struct Pending;
  std::list<std::unique_ptr<Pending>> pending_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace ditscale::orchestrator
