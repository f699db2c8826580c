#pragma once

#include <functional>
#include <map>
#include <vector>

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// Processes on one node, not yet taken there.
struct Seat {
  int agent = 0;
  std::int64_t processes = 0;
};

/// Which nodes may be used.
using NodeFilter = std::function<bool(int agent)>;

/// Free room for all of the ask's processes, or none (empty): on the one node that fits most tightly, GPUs counted
/// first; where none is large enough, on as few nodes as there can be, those with most room first.
[[nodiscard]] std::vector<Seat> find_room(const std::map<int, Node>& nodes, const Ask& ask, const NodeFilter& usable);

/// Nodes that hold the whole ask when they are wholly free: those with most free now, as few as there can be.
[[nodiscard]] std::vector<int> nodes_to_keep(const std::map<int, Node>& nodes, const Ask& ask);

/// How many of the ask's processes find room when nothing else runs.
[[nodiscard]] std::int64_t capacity_for(const std::map<int, Node>& nodes, const Ask& ask);

/// What the trial asks of these nodes: all its processes; where these cannot hold all, the most that share its batch
/// evenly, but not fewer than its least.
[[nodiscard]] Ask ask_for(const std::map<int, Node>& nodes, const sweeps::TrialSpec& trial);

}  // namespace ditscale::orchestrator
