#include "orchestrator/coordinator/room.hpp"

#include <algorithm>
#include <optional>

namespace ditscale::orchestrator {

namespace {

/// Free devices weighed so that GPUs count first: nodes with GPUs stay free for trials that need them.
std::int64_t weight(const Devices& devices) {
  constexpr std::int64_t kGpuWeight = 1'000'000;
  return std::ssize(devices.gpus) * kGpuWeight + std::ssize(devices.cpus);
}

std::optional<int> tightest_node(const std::map<int, Node>& nodes, const Ask& ask, const NodeFilter& usable) {
  std::optional<int> best;
  for (const auto& [agent, node] : nodes) {
    if (node.free.room_for(ask) < ask.processes || !usable(agent)) continue;
    if (!best || weight(node.free) < weight(nodes.at(*best).free)) best = agent;
  }
  return best;
}

/// Largest first.
std::vector<Seat> seats_by_size(const std::map<int, Node>& nodes, const Ask& ask, Devices Node::*which,
                                const NodeFilter& usable) {
  std::vector<Seat> seats;
  for (const auto& [agent, node] : nodes) {
    const std::int64_t room = (node.*which).room_for(ask);
    if (room > 0 && usable(agent)) seats.push_back({agent, room});
  }
  std::stable_sort(seats.begin(), seats.end(), [](const Seat& a, const Seat& b) { return a.processes > b.processes; });
  if (std::ssize(seats) > ask.max_nodes) seats.resize(static_cast<std::size_t>(ask.max_nodes));
  return seats;
}

}  // namespace

std::vector<Seat> find_room(const std::map<int, Node>& nodes, const Ask& ask, const NodeFilter& usable) {
  if (const auto node = tightest_node(nodes, ask, usable)) return {{*node, ask.processes}};
  if (!ask.is_gang()) return {};
  std::vector<Seat> seats;
  std::int64_t left = ask.processes;
  for (Seat seat : seats_by_size(nodes, ask, &Node::free, usable)) {
    seat.processes = std::min(seat.processes, left);
    left -= seat.processes;
    seats.push_back(seat);
    if (left == 0) return seats;
  }
  return {};
}

std::vector<int> nodes_to_keep(const std::map<int, Node>& nodes, const Ask& ask) {
  std::vector<Seat> seats = seats_by_size(nodes, ask, &Node::all, [](int) { return true; });
  std::stable_sort(seats.begin(), seats.end(), [&](const Seat& a, const Seat& b) {
    return weight(nodes.at(a.agent).free) > weight(nodes.at(b.agent).free);
  });
  std::vector<int> kept;
  std::int64_t room = 0;
  for (const Seat& seat : seats) {
    if (room >= ask.processes) break;
    kept.push_back(seat.agent);
    room += seat.processes;
  }
  return kept;
}

std::int64_t capacity_for(const std::map<int, Node>& nodes, const Ask& ask) {
  std::int64_t capacity = 0;
  for (const Seat& seat : seats_by_size(nodes, ask, &Node::all, [](int) { return true; })) capacity += seat.processes;
  return capacity;
}

Ask ask_for(const std::map<int, Node>& nodes, const sweeps::TrialSpec& trial) {
  Ask ask = ask_of(trial.resources);
  if (ask.min_processes == ask.processes) return ask;
  const std::int64_t capacity = capacity_for(nodes, ask);
  for (std::int64_t processes = std::min(ask.processes, capacity); processes >= ask.min_processes; --processes) {
    if (!trial.train.divides_among(processes)) continue;
    ask.processes = processes;
    break;
  }
  return ask;
}

}  // namespace ditscale::orchestrator
