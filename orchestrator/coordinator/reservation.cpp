#include "orchestrator/coordinator/reservation.hpp"

#include <algorithm>

namespace ditscale::orchestrator {

double Reservation::start_s(const Nodes& nodes, double now_s) const {
  double start_s = now_s;
  for (const Seat& seat : seats) {
    start_s = std::max(start_s, nodes.at(seat.agent).room_at_s(ask, seat.processes, now_s));
  }
  return start_s;
}

const Seat* Reservation::seat_on(int agent) const {
  const auto seat = std::find_if(seats.begin(), seats.end(), [&](const Seat& each) { return each.agent == agent; });
  return seat == seats.end() ? nullptr : &*seat;
}

void drop_lost(Reservations& reservations, const Nodes& nodes) {
  std::erase_if(reservations, [&](const auto& entry) {
    const std::vector<Seat>& seats = entry.second.seats;
    return std::any_of(seats.begin(), seats.end(), [&](const Seat& seat) { return !nodes.contains(seat.agent); });
  });
}

}  // namespace ditscale::orchestrator
