#pragma once

#include <functional>
#include <vector>

#include "orchestrator/coordinator/nodes.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::orchestrator {

/// Processes on one node, not yet taken there.
struct Seat {
  int agent = 0;
  std::int64_t processes = 0;

  bool operator==(const Seat&) const = default;
};

/// Whether so many processes may be put on a node that has room for them.
using SeatFilter = std::function<bool(int agent, std::int64_t processes)>;
[[nodiscard]] inline bool any_seat(int /*agent*/, std::int64_t /*processes*/) { return true; }

/// Free room for all of the ask's processes, or none (empty): on the one node that fits most tightly, GPUs counted
/// first; where none is large enough, on as few nodes as there can be: those with most room first, and for the last
/// processes the one that fits them most tightly.
[[nodiscard]] std::vector<Seat> find_room(const Nodes& nodes, const Ask& ask, const SeatFilter& usable = any_seat);

/// Where the ask will find room first by the predicted ends of what runs, on nodes that are `usable` (never mind
/// whether they have room now): one node where one can hold it, else as few as there can be. Empty when they cannot
/// hold it.
[[nodiscard]] std::vector<Seat> room_to_come(const Nodes& nodes, const Ask& ask, double now_s,
                                             const SeatFilter& usable);

/// How many of the ask's processes find room when nothing else runs.
[[nodiscard]] std::int64_t capacity_for(const Nodes& nodes, const Ask& ask);

/// What the trial asks of these nodes: all its processes; where these cannot hold all, the most that share its batch
/// evenly, but not fewer than its least.
[[nodiscard]] Ask ask_for(const Nodes& nodes, const sweeps::TrialSpec& trial);

}  // namespace ditscale::orchestrator
