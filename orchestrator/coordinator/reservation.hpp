#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "orchestrator/coordinator/room.hpp"

namespace ditscale::orchestrator {

/// Nodes that a trial waits for.
struct Reservation {
  Ask ask;
  std::vector<Seat> seats;
  /// Trials that went ahead on these nodes since.
  int overtaken = 0;

  /// When all seats will be free, by the predicted ends of what runs there.
  [[nodiscard]] double start_s(const Nodes& nodes, double now_s) const;
  [[nodiscard]] const Seat* seat_on(int agent) const;
};

/// By the position of the trial that waits.
using Reservations = std::map<std::size_t, Reservation>;

/// Drops reservations of nodes that are gone.
void drop_lost(Reservations& reservations, const Nodes& nodes);

}  // namespace ditscale::orchestrator
