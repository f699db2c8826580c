#include <cmath>
#include <random>

#include "orchestrator/coordinator/improve_order.hpp"
#include "orchestrator/coordinator/rehearsal.hpp"
#include "orchestrator/coordinator/scheduler.hpp"
#include "orchestrator/simulation/simulated_cluster.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Two nodes of four cores.
std::vector<AgentReport> two_nodes() { return {{1, "a", make_devices(4)}, {2, "b", make_devices(4)}}; }

/// Trials of one, two and four cores on one node and of eight on both, of lognormal lengths.
std::vector<sweeps::Cell> mixed_cells(std::uint32_t seed, int count) {
  std::mt19937 random(seed);
  std::lognormal_distribution<> steps(std::log(1e6), 0.75);
  std::discrete_distribution<> kind({4, 3, 2, 1});
  std::vector<sweeps::Cell> cells;
  for (int trial = 0; trial < count; ++trial) {
    const int drawn = kind(random);
    sweeps::ResourceSpec resources{drawn == 3 ? 4 : 1 << drawn, 0};
    if (drawn == 3) resources.processes = 2;
    cells.push_back(make_cell(trial, static_cast<std::int64_t>(steps(random)), resources, 1'000'000'000));
  }
  return cells;
}

class OrderOfTheQueue : public ClusterFixture {
 protected:
  /// Everything queues on empty nodes; nothing has started.
  void queue_up(std::vector<sweeps::Cell> cells) {
    sweep_of(std::move(cells));
    for (const AgentReport& agent : two_nodes()) ASSERT_TRUE(state.nodes.add(agent.agent, agent.host, agent.devices));
  }
};

TEST_F(OrderOfTheQueue, IsRehearsedAsTheStudyGoes) {
  policy.max_order_tries = 0;
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    const auto cells = mixed_cells(seed, 40);
    queue_up(cells);
    const double rehearsed_s = rehearse(sketch_of(state, now_s), now_s).end_s - now_s;
    SimulationOptions options;
    options.policy = policy;
    options.tells_every_checkpoint = false;
    SimulatedCluster cluster(cells, two_nodes(), options);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cluster.scripts[cells[i].id].seconds_per_step =
          state.trials[i].predicted_s / static_cast<double>(cells[i].trial.train.steps);
    }
    cluster.run();
    EXPECT_NEAR(rehearsed_s, cluster.elapsed_s(), 1e-6 * rehearsed_s);
    state = {};
  }
}

TEST_F(OrderOfTheQueue, IsImprovedWhereTheFirstOneEndsLate) {
  int num_better = 0;
  for (std::uint32_t seed = 100; seed < 120; ++seed) {
    queue_up(mixed_cells(seed, 25));
    const double before_s = rehearse(sketch_of(state, now_s), now_s).end_s - now_s;
    const double bound_s = bound_left_s(state, now_s);
    improve_order(state, now_s);
    const double after_s = rehearse(sketch_of(state, now_s), now_s).end_s - now_s;
    EXPECT_GE(after_s, bound_s * (1 - 1e-9));
    if (before_s > 1.02 * bound_s) num_better += after_s < before_s ? 1 : 0;
    state = {};
  }
  EXPECT_GE(num_better, 5);
}

TEST_F(OrderOfTheQueue, IsTheSameForTheSameState) {
  queue_up(mixed_cells(7, 25));
  State other = state;
  improve_order(state, now_s);
  improve_order(other, now_s);
  EXPECT_EQ(state.order.weights, other.order.weights);
  EXPECT_EQ(state.order.decisive_share, other.order.decisive_share);
}

TEST_F(OrderOfTheQueue, IsLeftAloneUntilMuchHasStarted) {
  queue_up(mixed_cells(7, 25));
  improve_order(state, now_s);
  const auto weights = state.order.weights;
  state.order.weights.clear();
  improve_order(state, now_s);
  EXPECT_THAT(state.order.weights, IsEmpty()) << "nothing has changed";
  predict_all(state);
  improve_order(state, now_s);
  EXPECT_FALSE(state.order.weights.empty());
}

TEST_F(OrderOfTheQueue, IsLeftAloneWhereVeryManyWait) {
  policy.max_queued_for_order = 10;
  queue_up(mixed_cells(7, 25));
  improve_order(state, now_s);
  EXPECT_THAT(state.order.weights, IsEmpty());
}

/// A trial of both cores that was overtaken too often holds everyone up, also a longer one of its kind.
TEST_F(OrderOfTheQueue, LetsOneThatWaitedTooLongGoBeforeALongerOneOfItsKind) {
  policy.max_order_tries = 0;
  policy.max_overtakes = 2;
  sweep_of({make_cell(0, 100'000, {1, 0}), make_cell(1, 90'000, {2, 0}), make_cell(2, 10), make_cell(3, 10),
            make_cell(4, 9'000'000, {2, 0})});
  dequeue(state, 4);
  join_one(2);
  end_with(2, "succeeded");
  end_with(3, "succeeded");
  ASSERT_EQ(state.reservations.at(1).overtaken, 2);
  enqueue(state, 4, now_s);
  end_with(0, "succeeded");
  EXPECT_THAT(started(), ElementsAre(1));
}

/// Two that waited too long for overlapping nodes do not wait for each other.
TEST_F(OrderOfTheQueue, LetsOneOfTwoThatWaitedTooLongGoFirst) {
  policy.max_order_tries = 0;
  sweeps::ResourceSpec both;
  both.processes = 2;
  both.cpus = 4;
  sweep_of({make_cell(0, 100'000, both), make_cell(1, 90'000, {4, 0})});
  state.reservations[0] = {state.trials[0].ask, {{1, 1}, {2, 1}}, policy.max_overtakes};
  state.reservations[1] = {state.trials[1].ask, {{1, 1}}, policy.max_overtakes};
  join(two_nodes());
  EXPECT_THAT(started(), ElementsAre(0));
}

}  // namespace
}  // namespace ditscale::orchestrator
