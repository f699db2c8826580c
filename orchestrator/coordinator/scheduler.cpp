#include "orchestrator/coordinator/scheduler.hpp"

#include <algorithm>
#include <optional>

#include "orchestrator/coordinator/room.hpp"

namespace ditscale::orchestrator {

namespace {

bool kept_for_another(const State& state, int agent, std::size_t position, const std::vector<std::size_t>& keepers) {
  return std::any_of(keepers.begin(), keepers.end(), [&](std::size_t keeper) {
    const std::vector<int>& kept = state.trials[keeper].kept_agents;
    return keeper != position && std::find(kept.begin(), kept.end(), agent) != kept.end();
  });
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
      if (trial.kept_agents.empty() || any_gone(trial.kept_agents))
        trial.kept_agents = nodes_to_keep(state_.nodes, ask);
      keepers_.push_back(head);
    }
  }

  [[nodiscard]] bool any_gone(const std::vector<int>& agents) const {
    return std::any_of(agents.begin(), agents.end(), [this](int agent) { return state_.nodes.count(agent) == 0; });
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
    const auto usable = [&](int agent) { return !kept_for_another(state_, agent, position, keepers_); };
    const std::vector<Seat> seats = find_room(state_.nodes, trial.ask, usable);
    if (seats.empty()) {
      blocked_.emplace_back(position, placements_.size());
      std::erase(open_, trial.ask);
      return;
    }
    dequeue(state_, position);
    trial.overtaken = 0;
    trial.kept_agents.clear();
    std::erase(keepers_, position);
    Placement placement{position, {}};
    for (const Seat& seat : seats) {
      Node& node = state_.nodes.at(seat.agent);
      placement.shares.push_back({seat.agent, node.host, seat.processes, node.free.take(trial.ask, seat.processes)});
    }
    placements_.push_back(std::move(placement));
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
