#include "orchestrator/view/outlook.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "orchestrator/view/overview.hpp"
#include "orchestrator/view/text.hpp"

namespace ditscale::orchestrator {

namespace {

std::optional<std::size_t> first_queued(const State& state) {
  std::optional<std::tuple<std::int64_t, ReadyQueue::Key>> best;  // (minus priority, key)
  for (const auto& [kind, queue] : state.ready.queues()) {
    const std::tuple candidate{-kind.priority, *queue.begin()};
    if (!best || candidate < *best) best = candidate;
  }
  return best ? std::optional<std::size_t>(std::get<1>(*best).second) : std::nullopt;
}

/// Infinity when the nodes that are left cannot hold it.
double room_at_s(const State& state, std::size_t position, double now_s) {
  const auto reserved = state.reservations.find(position);
  if (reserved != state.reservations.end()) return reserved->second.start_s(state.nodes, now_s);
  const Ask& ask = state.trials[position].ask;
  const Reservation wished{ask, room_to_come(state.nodes, ask, now_s, any_seat)};
  return wished.seats.empty() ? std::numeric_limits<double>::infinity() : wished.start_s(state.nodes, now_s);
}

std::string line(const Trial& trial, const char* what, double in_s) {
  const std::string name = trial.cell.id.brief() + " " + trial.cell.label();
  if (!std::isfinite(in_s)) return fmt::format("next: {}{} when there are nodes that can hold it", name, what);
  return fmt::format("next: {}{} in about {}", name, what, duration_text(in_s));
}

}  // namespace

Outlook look_ahead(const State& state, double now_s) {
  return {estimate_left_s(state, now_s), next_text(state, now_s)};
}

std::string utilisation_text(const Nodes& nodes) {
  DeviceCount busy = nodes.total();
  for (const auto& [unused, node] : nodes) {
    busy.cpus -= std::ssize(node.free.cpus);
    busy.gpus -= std::ssize(node.free.gpus);
  }
  std::string text = fmt::format("{} of {} cpus", busy.cpus, nodes.total().cpus);
  if (nodes.total().gpus > 0) text += fmt::format(" and {} of {} gpus", busy.gpus, nodes.total().gpus);
  return text + " busy";
}

std::string next_text(const State& state, double now_s) {
  if (state.stopping) return "";
  if (const auto position = first_queued(state)) {
    return line(state.trials[*position], "", room_at_s(state, *position, now_s) - now_s);
  }
  if (state.waiting.empty()) return "";
  const auto& [not_before_s, position] = *state.waiting.begin();
  return line(state.trials[position], " again", std::max(0.0, not_before_s - now_s));
}

}  // namespace ditscale::orchestrator
