#include "orchestrator/view/outlook.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "orchestrator/coordinator/rehearsal.hpp"
#include "orchestrator/view/text.hpp"

namespace ditscale::orchestrator {

namespace {

/// Above so many trials that are left, running through them costs more than the view is worth (some 3 us each, every
/// two seconds); there the end is within a few parts in a thousand of the bound (tools/scheduling).
constexpr std::size_t kMostRehearsed = 2000;

/// Who goes before all others.
std::optional<std::size_t> first_queued(const State& state) {
  std::optional<std::size_t> first;
  for (const auto& [unused, queue] : state.ready.queues()) {
    const std::size_t head = queue.begin()->second;
    if (!first || goes_before(state, head, *first)) first = head;
  }
  return first;
}

/// Without a rehearsal. Infinity when the nodes that are left cannot hold it.
double room_at_s(const State& state, std::size_t position, double now_s) {
  const auto reserved = state.reservations.find(position);
  if (reserved != state.reservations.end()) return reserved->second.start_s(state.nodes, now_s);
  const Ask& ask = state.trials[position].ask;
  const Reservation wished{ask, room_to_come(state.nodes, ask, now_s, any_seat)};
  return wished.seats.empty() ? std::numeric_limits<double>::infinity() : wished.start_s(state.nodes, now_s);
}

Rehearsal rehearse_or_guess(const State& state, double now_s) {
  if (state.trials.size() - state.num_final <= kMostRehearsed) return rehearse(sketch_of(state, now_s), now_s);
  Rehearsal guess;
  guess.end_s = now_s + bound_left_s(state, now_s);
  if (const auto first = first_queued(state)) guess.next = {*first, room_at_s(state, *first, now_s)};
  return guess;
}

std::string line(const Trial& trial, const char* what, double in_s) {
  const std::string name = trial.cell.id.brief() + " " + trial.cell.label();
  if (!std::isfinite(in_s)) return fmt::format("next: {}{} when there are nodes that can hold it", name, what);
  return fmt::format("next: {}{} in about {}", name, what, duration_text(in_s));
}

}  // namespace

std::string utilisation_text(const Nodes& nodes) {
  DeviceCount busy = nodes.total();
  for (const auto& [unused, node] : nodes) {
    busy.cpus -= std::ssize(node.free.cpus) + std::ssize(node.at_rest.cpus);
    busy.gpus -= std::ssize(node.free.gpus) + std::ssize(node.at_rest.gpus);
  }
  std::string text = fmt::format("{} of {} cpus", busy.cpus, nodes.total().cpus);
  if (nodes.total().gpus > 0) text += fmt::format(" and {} of {} gpus", busy.gpus, nodes.total().gpus);
  return text + " busy";
}

Outlook look_ahead(const State& state, double now_s) {
  const Rehearsal rehearsal = rehearse_or_guess(state, now_s);
  const double left_s = rehearsal.end_s - now_s;
  if (state.stopping) return {left_s, ""};
  if (rehearsal.next) {
    const Trial& next = state.trials[rehearsal.next->position];
    const bool waits = next.not_before_s > now_s;
    return {left_s, line(next, waits ? " again" : "", rehearsal.next->at_s - now_s)};
  }
  const auto first = first_queued(state);
  const double never_s = std::numeric_limits<double>::infinity();
  return {left_s, first ? line(state.trials[*first], "", never_s) : ""};
}

}  // namespace ditscale::orchestrator
