#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <poll.h>

#include "orchestrator/messages/messages.hpp"

namespace ditscale::orchestrator {

/// The coordinator is rank 0 of its world, the agents are all others.
inline constexpr int kCoordinatorRank = 0;

/// A message from another rank.
struct Received {
  int rank = 0;
  Message message;
};

/// All ranks of this run, as one of them sees them. Nothing waits here but `sleep`: an idle rank must leave its cores
/// to the trainers.
class World {
 public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  [[nodiscard]] virtual int size() const = 0;
  /// Starts sending. Messages between two ranks keep their order.
  virtual void send(int rank, Message message) = 0;
  /// The next message that has come, if any.
  [[nodiscard]] virtual std::optional<Received> receive() = 0;
  /// Sleeps until a rank of this host has sent something, one of `others` is ready, or `seconds` have passed.
  virtual void sleep(double seconds, std::vector<pollfd> others = {}) = 0;
  /// True when every message is on its way.
  [[nodiscard]] virtual bool all_sent() = 0;
  /// Bytes of messages that are not on their way yet: they pile up when a receiver is slower than its senders.
  [[nodiscard]] virtual std::size_t unsent_bytes() = 0;
};

}  // namespace ditscale::orchestrator
