#include "orchestrator/coordinator/improve_order.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "orchestrator/coordinator/rehearsal.hpp"

namespace ditscale::orchestrator {

namespace {

/// An order that ends above the bound by less is not worth a try.
constexpr double kGoodEnough = 1.01;

bool differs_much(const DeviceCount& now, const DeviceCount& then) {
  constexpr double kShare = 0.02;
  const auto differs = [](std::int64_t a, std::int64_t b) {
    return std::abs(static_cast<double>(a - b)) > kShare * static_cast<double>(b);
  };
  return differs(now.cpus, then.cpus) || differs(now.gpus, then.gpus);
}

bool is_due(const State& state, std::size_t num_queued) {
  const OrderOccasion& last = state.order_occasion;
  return 3 * num_queued <= 2 * last.num_queued || last.num_queued == 0 ||
         differs_much(state.nodes.total(), last.devices);
}

/// Ends of one order when predictions are right, and when they are wrong in a few ways.
class Jury {
 public:
  Jury(const Sketch& sketch, double now_s) : now_s_(now_s) {
    constexpr double kErrorSigma = 0.2;
    std::mt19937_64 random(2);
    std::lognormal_distribution<> error(0, kErrorSigma);
    for (std::vector<double>& errors : errors_) {
      for (std::size_t i = 0; i < sketch.positions.size(); ++i) errors.push_back(error(random));
    }
  }

  /// Right predictions weigh as much as all the wrong ones.
  double mean_end_s(const Sketch& sketch) const {
    double sum_s = 0;
    for (const std::vector<double>& errors : errors_) sum_s += rehearse(sketch, now_s_, errors).end_s;
    return 0.5 * rehearse(sketch, now_s_).end_s + 0.5 * sum_s / kNumWrong;
  }

  static constexpr std::size_t kNumWrong = 3;

 private:
  double now_s_;
  std::vector<double> errors_[kNumWrong];
};

/// Orders near a given one.
class Neighbours {
 public:
  explicit Neighbours(const State& state) {
    for (const auto& [kind, unused] : state.ready.queues()) asks_.insert(kind.ask);
  }

  Order of(const Order& order) {
    Order near = order;
    if (std::uniform_int_distribution<>(0, 3)(random_) == 0) {
      near.gangs_of_many_nodes_first = !near.gangs_of_many_nodes_first;
    }
    near.decisive_share *= factor(0.1);
    for (const Ask& ask : asks_) near.weights[ask] = order.weight_of(ask) * factor(0.4);
    return near;
  }

 private:
  double factor(double sigma) { return std::lognormal_distribution<>(0, sigma)(random_); }

  std::mt19937_64 random_{1};
  std::set<Ask> asks_;
};

bool ends_close_to_bound(const Sketch& sketch, const State& state, double now_s) {
  return rehearse(sketch, now_s).end_s - now_s <= kGoodEnough * bound_left_s(state, now_s);
}

}  // namespace

void improve_order(State& state, double now_s) {
  if (state.policy.max_order_tries == 0 || state.stopping || state.nodes.empty() || state.ready.queues().size() < 2)
    return;
  const std::size_t num_queued = state.ready.size();
  if (num_queued > state.policy.max_queued_for_order || !is_due(state, num_queued)) return;
  state.order_occasion = {num_queued, state.nodes.total()};
  Sketch sketch = sketch_of(state, now_s);
  if (ends_close_to_bound(sketch, state, now_s)) return;
  const Jury jury(sketch, now_s);
  Neighbours neighbours(state);
  double best_s = jury.mean_end_s(sketch);
  const std::size_t affordable = state.policy.max_order_placements / (num_queued * (1 + Jury::kNumWrong));
  const std::size_t num_tries = std::min(state.policy.max_order_tries, affordable);
  std::size_t in_vain = 0;
  for (std::size_t i = 0; i < num_tries && in_vain < state.policy.max_order_tries_in_vain; ++i) {
    sketch.state.order = neighbours.of(state.order);
    const double end_s = jury.mean_end_s(sketch);
    in_vain = end_s < best_s ? 0 : in_vain + 1;
    if (end_s > best_s) continue;
    best_s = end_s;
    state.order = sketch.state.order;
  }
}

}  // namespace ditscale::orchestrator
