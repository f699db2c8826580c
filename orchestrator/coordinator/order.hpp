#pragma once

#include <cstddef>
#include <map>

#include "orchestrator/coordinator/nodes.hpp"

namespace ditscale::orchestrator {

struct State;

/// Which of several queued trials goes first where both could start. By priority; then trials so long that they may
/// decide when all is over; then gangs that no single node can hold, for whole nodes are easiest found before small
/// trials have spread; then all others, longest first. What the last three rules come to is a matter of the study at
/// hand: `improve_order` tries other numbers.
struct Order {
  /// A trial may decide the end when it takes longer than this share of what is queued, spread over all devices.
  double decisive_share = 0.85;
  bool gangs_of_many_nodes_first = true;
  /// Trials that ask this count as so many times longer; 1 for those that are not named.
  std::map<Ask, double> weights;

  [[nodiscard]] double weight_of(const Ask& ask) const;
};

/// What an order was last improved for.
struct OrderOccasion {
  std::size_t num_queued = 0;
  DeviceCount devices;
};

/// Whether `a` is to start before `b`; among equals, in the order of the file. Trials that differ in their length only
/// are always longest first.
[[nodiscard]] bool goes_before(const State& state, std::size_t a, std::size_t b);

}  // namespace ditscale::orchestrator
