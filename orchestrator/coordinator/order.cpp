#include "orchestrator/coordinator/order.hpp"

#include <algorithm>

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

namespace {

/// What is queued would take so long on all devices if it could be spread evenly.
double spread_s(const State& state) {
  const DeviceCount& total = state.nodes.total();
  const double by_gpus = total.gpus > 0 ? state.queued_gpu_s / static_cast<double>(total.gpus) : 0.0;
  const double by_cpus = total.cpus > 0 ? state.queued_cpu_s / static_cast<double>(total.cpus) : 0.0;
  return std::max(by_gpus, by_cpus);
}

enum class Tier { kDecidesTheEnd, kNeedsManyNodes, kOther };

Tier tier_of(const State& state, const Trial& trial) {
  if (trial.remaining_s() > state.order.decisive_share * spread_s(state)) return Tier::kDecidesTheEnd;
  const bool needs_many_nodes = trial.ask.is_gang() && !state.nodes.one_can_hold(trial.ask);
  return needs_many_nodes && state.order.gangs_of_many_nodes_first ? Tier::kNeedsManyNodes : Tier::kOther;
}

}  // namespace

double Order::weight_of(const Ask& ask) const {
  const auto weight = weights.find(ask);
  return weight == weights.end() ? 1.0 : weight->second;
}

bool goes_before(const State& state, std::size_t a, std::size_t b) {
  const Trial& first = state.trials[a];
  const Trial& second = state.trials[b];
  const std::int64_t first_priority = first.cell.trial.resources.priority;
  const std::int64_t second_priority = second.cell.trial.resources.priority;
  if (first_priority != second_priority) return first_priority > second_priority;
  const Tier first_tier = tier_of(state, first);
  const Tier second_tier = tier_of(state, second);
  if (first_tier != second_tier) return first_tier < second_tier;
  const double first_s = first.remaining_s() * state.order.weight_of(first.ask);
  const double second_s = second.remaining_s() * state.order.weight_of(second.ask);
  return first_s != second_s ? first_s > second_s : a < b;
}

}  // namespace ditscale::orchestrator
