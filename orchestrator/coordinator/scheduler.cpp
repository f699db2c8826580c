#include "orchestrator/coordinator/scheduler.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace ditscale::orchestrator {

namespace {

/// Free devices weighed so that GPUs count first: nodes with GPUs stay free for trials that need them.
std::int64_t weight(const Devices& devices) {
  constexpr std::int64_t kGpuWeight = 1'000'000;
  return std::ssize(devices.gpus) * kGpuWeight + std::ssize(devices.cpus);
}

bool kept_for_another(const State& state, int agent, std::size_t position, const std::vector<std::size_t>& keepers) {
  return std::any_of(keepers.begin(), keepers.end(), [&](std::size_t keeper) {
    return keeper != position && state.trials[keeper].kept_agent == agent;
  });
}

/// The node that fits `trial` most tightly.
std::optional<int> tightest_node(const State& state, std::size_t position, const std::vector<std::size_t>& keepers) {
  std::optional<int> best;
  std::int64_t best_weight = std::numeric_limits<std::int64_t>::max();
  for (const auto& [agent, node] : state.nodes) {
    if (!node.free.covers(state.trials[position].ask) || weight(node.free) >= best_weight) continue;
    if (kept_for_another(state, agent, position, keepers)) continue;
    best = agent;
    best_weight = weight(node.free);
  }
  return best;
}

/// The node large enough for `ask` that has most free now: the first to be wholly free, as far as can be known.
std::optional<int> node_to_keep(const State& state, const Ask& ask) {
  std::optional<int> best;
  for (const auto& [agent, node] : state.nodes) {
    if (node.all.covers(ask) && (!best || weight(node.free) > weight(state.nodes.at(*best).free))) best = agent;
  }
  return best;
}

bool in_time(const State& state, const Trial& trial, double now_s) {
  return !state.stop_at_s || now_s + state.policy.start_up_s + trial.next_checkpoint_s() <= *state.stop_at_s;
}

/// One pass over the queues. A queue leaves the pass when its first trial fits nowhere: the others ask the same.
class Pass {
 public:
  Pass(State& state, double now_s) : state_(state), now_s_(now_s) {
    for (const auto& [ask, queue] : state.ready.queues()) open_.push_back(ask);
    find_keepers();
  }

  std::vector<Placement> run() {
    while (const auto next = longest_head()) try_to_place(*next);
    for (const auto& [position, started_before] : blocked_) {
      state_.trials[position].overtaken += static_cast<int>(placements_.size() - started_before);
    }
    return std::move(placements_);
  }

 private:
  /// Heads that were overtaken too often get a node kept; one keeper for each ask is enough.
  void find_keepers() {
    for (const auto& [ask, queue] : state_.ready.queues()) {
      const std::size_t head = queue.begin()->second;
      Trial& trial = state_.trials[head];
      if (trial.overtaken < state_.policy.max_overtakes) continue;
      if (!trial.kept_agent || state_.nodes.count(*trial.kept_agent) == 0) trial.kept_agent = node_to_keep(state_, ask);
      keepers_.push_back(head);
    }
  }

  std::optional<std::size_t> first_in_time(const Ask& ask) const {
    const auto queue = state_.ready.queues().find(ask);
    if (queue == state_.ready.queues().end()) return std::nullopt;
    for (const auto& [unused, position] : queue->second) {
      if (in_time(state_, state_.trials[position], now_s_)) return position;
    }
    return std::nullopt;
  }

  std::optional<std::size_t> longest_head() {
    std::optional<std::size_t> best;
    std::erase_if(open_, [&](const Ask& ask) {
      const auto head = first_in_time(ask);
      if (head && (!best || state_.trials[*head].remaining_s() > state_.trials[*best].remaining_s())) best = head;
      return !head;
    });
    return best;
  }

  void try_to_place(std::size_t position) {
    Trial& trial = state_.trials[position];
    const auto agent = tightest_node(state_, position, keepers_);
    if (!agent) {
      blocked_.emplace_back(position, placements_.size());
      std::erase(open_, trial.ask);
      return;
    }
    dequeue(state_, position);
    trial.overtaken = 0;
    trial.kept_agent.reset();
    std::erase(keepers_, position);
    placements_.push_back({position, *agent, state_.nodes.at(*agent).free.take(trial.ask)});
  }

  State& state_;
  double now_s_;
  std::vector<Ask> open_;
  std::vector<std::size_t> keepers_;
  std::vector<std::pair<std::size_t, std::size_t>> blocked_;
  std::vector<Placement> placements_;
};

}  // namespace

std::vector<Placement> place_ready(State& state, double now_s) {
  if (state.ready.empty() || state.stopping) return {};
  return Pass(state, now_s).run();
}

}  // namespace ditscale::orchestrator
