#include "orchestrator/coordinator/room.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

namespace ditscale::orchestrator {

namespace {

std::optional<int> tightest_node(const Nodes& nodes, const Ask& ask, std::int64_t processes, const SeatFilter& usable) {
  const DeviceCount least{ask.gpus * processes, ask.cpus * processes};
  for (auto peers = nodes.by_free().lower_bound(least); peers != nodes.by_free().end(); ++peers) {
    if (peers->first.room_for(ask) < processes) continue;
    for (const int agent : peers->second) {
      if (usable(agent, processes)) return agent;
    }
  }
  return std::nullopt;
}

/// Agents with free room for at least one process, by that room, most first.
std::map<std::int64_t, std::vector<int>, std::greater<>> agents_by_room(const Nodes& nodes, const Ask& ask) {
  std::map<std::int64_t, std::vector<int>, std::greater<>> agents;
  for (const auto& [free, peers] : nodes.by_free()) {
    const std::int64_t room = free.room_for(ask);
    if (room > 0) agents[room].insert(agents[room].end(), peers.begin(), peers.end());
  }
  return agents;
}

std::vector<Seat> spread(const Nodes& nodes, const Ask& ask, const SeatFilter& usable) {
  std::vector<Seat> seats;
  std::set<int> used;
  std::int64_t left = ask.processes;
  const auto is_unused = [&](int agent, std::int64_t count) { return used.count(agent) == 0 && usable(agent, count); };
  for (const auto& [room, agents] : agents_by_room(nodes, ask)) {
    for (const int agent : agents) {
      if (std::ssize(seats) == ask.max_nodes) return {};
      if (room >= left) {
        const auto last = tightest_node(nodes, ask, left, is_unused);
        if (!last) break;  // where none is left for the rest, smaller rooms may still serve
        seats.push_back({*last, left});
        return seats;
      }
      if (!is_unused(agent, room)) continue;
      seats.push_back({agent, room});
      used.insert(agent);
      left -= room;
    }
  }
  return {};
}

/// Room of the wholly free nodes, largest first, at most as many as the ask may use.
std::vector<std::int64_t> whole_rooms(const Nodes& nodes, const Ask& ask) {
  std::vector<std::int64_t> rooms;
  for (const auto& [unused, node] : nodes) rooms.push_back(node.all.room_for(ask));
  std::sort(rooms.begin(), rooms.end(), std::greater<>());
  if (std::ssize(rooms) > ask.max_nodes) rooms.resize(static_cast<std::size_t>(ask.max_nodes));
  return rooms;
}

std::vector<Seat> one_node_to_come(const Nodes& nodes, const Ask& ask, double now_s, const SeatFilter& usable) {
  std::optional<std::pair<double, int>> best;
  for (const auto& [agent, node] : nodes) {
    if (node.all.room_for(ask) < ask.processes || !usable(agent, ask.processes)) continue;
    const std::pair<double, int> candidate{node.room_at_s(ask, ask.processes, now_s), agent};
    if (!best || candidate < *best) best = candidate;
  }
  return best ? std::vector<Seat>{{best->second, ask.processes}} : std::vector<Seat>();
}

}  // namespace

std::vector<Seat> find_room(const Nodes& nodes, const Ask& ask, const SeatFilter& usable) {
  if (const auto node = tightest_node(nodes, ask, ask.processes, usable)) return {{*node, ask.processes}};
  return ask.is_gang() ? spread(nodes, ask, usable) : std::vector<Seat>();
}

std::vector<Seat> room_to_come(const Nodes& nodes, const Ask& ask, double now_s, const SeatFilter& usable) {
  std::vector<Seat> one = one_node_to_come(nodes, ask, now_s, usable);
  if (!one.empty() || !ask.is_gang()) return one;
  std::vector<std::tuple<std::int64_t, double, int>> candidates;  // (minus its room, when that is free, agent)
  for (const auto& [agent, node] : nodes) {
    const std::int64_t room = node.all.room_for(ask);
    if (room > 0 && usable(agent, room)) candidates.emplace_back(-room, node.room_at_s(ask, room, now_s), agent);
  }
  std::sort(candidates.begin(), candidates.end());
  std::vector<Seat> seats;
  std::int64_t left = ask.processes;
  for (const auto& [minus_room, unused, agent] : candidates) {
    if (left == 0 || std::ssize(seats) == ask.max_nodes) break;
    seats.push_back({agent, std::min(left, -minus_room)});
    left -= seats.back().processes;
  }
  return left == 0 ? seats : std::vector<Seat>();
}

std::int64_t capacity_for(const Nodes& nodes, const Ask& ask) {
  std::int64_t capacity = 0;
  for (const std::int64_t room : whole_rooms(nodes, ask)) capacity += room;
  return capacity;
}

Ask ask_for(const Nodes& nodes, const sweeps::TrialSpec& trial) {
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
