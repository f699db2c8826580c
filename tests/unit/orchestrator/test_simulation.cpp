#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/plan/list_schedule.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"
#include "tests/unit/orchestrator/simulated_cluster.hpp"

namespace ditscale::orchestrator {
namespace {

using common::ExitCode;
using results::TrialState;

std::vector<AgentReport> random_agents(std::mt19937& random) {
  std::vector<AgentReport> agents;
  const int count = std::uniform_int_distribution<>(1, 4)(random);
  for (int rank = 1; rank <= count; ++rank) {
    agents.push_back(
        {rank, "node",
         make_devices(std::uniform_int_distribution<>(2, 6)(random), std::uniform_int_distribution<>(0, 2)(random))});
  }
  return agents;
}

/// Asks that every node can serve, so that losing a node strands nobody.
std::vector<sweeps::Cell> random_cells(std::mt19937& random, int count) {
  std::vector<sweeps::Cell> cells;
  for (int seed = 0; seed < count; ++seed) {
    const std::int64_t cpus = std::uniform_int_distribution<>(1, 2)(random);
    cells.push_back(make_cell(seed, std::uniform_int_distribution<>(2, 20)(random), {cpus, 0}, 3));
  }
  return cells;
}

TEST(Simulation, EndsEveryTrialAsItsScriptSaysWhateverNodesAreLost) {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto agents = random_agents(random);
    const auto cells = random_cells(random, std::uniform_int_distribution<>(3, 25)(random));
    const Policy policy;
    SimulatedCluster cluster(cells, agents, policy, seed);
    cluster.node_loss_chance = 0.01;
    for (const auto& cell : cells) {
      cluster.scripts[cell.id] = {std::uniform_int_distribution<>(0, 4)(random), seed % 5 == 0 && cell.trial.seed == 1,
                                  std::uniform_real_distribution<>(0.1, 3.0)(random)};
    }
    cluster.run();
    bool all_good = true;
    for (const Trial& trial : cluster.state().trials) {
      const Script& script = cluster.scripts[trial.cell.id];
      const TrialState expected = script.diverges                        ? TrialState::kDiverged
                                  : script.num_failures > policy.retries ? TrialState::kFailed
                                                                         : TrialState::kSucceeded;
      EXPECT_EQ(trial.state, expected) << trial.reason;
      EXPECT_EQ(trial.failures, script.diverges ? 0 : std::min(script.num_failures, policy.retries + 1));
      all_good = all_good && expected == TrialState::kSucceeded;
    }
    EXPECT_EQ(cluster.exit_code(), all_good ? ExitCode::kDone : ExitCode::kFinishedWithFailures);
    if (testing::Test::HasFailure()) return;
  }
}

class KilledCoordinator : public testing::TestWithParam<CrashPoint> {
 protected:
  static SimulatedCluster cluster() {
    std::vector<sweeps::Cell> cells;
    for (int seed = 0; seed < 8; ++seed) cells.push_back(make_cell(seed, 4 + seed % 3, {1 + seed % 2, 0}, 2));
    SimulatedCluster made(cells, {{1, "a", make_devices(2)}, {2, "b", make_devices(3)}}, Policy(), 7);
    made.scripts[cells[2].id].num_failures = 2;
    made.scripts[cells[3].id].num_failures = 9;
    made.scripts[cells[4].id].diverges = true;
    return made;
  }
};

TEST_P(KilledCoordinator, EndsWithTheSameTableAtWhateverEventItDies) {
  SimulatedCluster undisturbed = cluster();
  undisturbed.run();
  ASSERT_GT(undisturbed.num_events(), 40U);
  for (std::size_t event = 0; event < undisturbed.num_events(); ++event) {
    SimulatedCluster killed = cluster();
    killed.run(event, GetParam());
    const auto states = [](const SimulatedCluster& each) {
      std::vector<std::string> table;
      for (const Trial& trial : each.state().trials) {
        table.push_back(trial.cell.id.brief() + " " + std::string(results::to_name(trial.state)));
      }
      return table;
    };
    EXPECT_EQ(states(killed), states(undisturbed)) << "killed at event " << event;
    for (const Trial& trial : killed.state().trials) {
      if (trial.state != TrialState::kSucceeded) continue;
      const std::string done = fmt::format("{} succeeded {}", trial.cell.id.brief(), trial.cell.trial.train.steps);
      EXPECT_THAT(killed.final_table(), testing::Contains(done));
    }
  }
}

std::string crash_name(const testing::TestParamInfo<CrashPoint>& crash) {
  switch (crash.param) {
    case CrashPoint::kBeforeRecords:
      return "BeforeRecords";
    case CrashPoint::kBeforeMessages:
      return "BeforeMessages";
    default:
      return "AfterMessages";
  }
}

INSTANTIATE_TEST_SUITE_P(At, KilledCoordinator,
                         testing::Values(CrashPoint::kBeforeRecords, CrashPoint::kBeforeMessages,
                                         CrashPoint::kAfterMessages),
                         crash_name);

TEST(Simulation, RunsTenThousandDevices) {
  constexpr int kNodes = 1250;
  constexpr int kGpusPerNode = 8;
  constexpr int kTrials = 20'000;
  std::vector<AgentReport> agents;
  for (int rank = 1; rank <= kNodes; ++rank) agents.push_back({rank, "node", make_devices(kGpusPerNode, kGpusPerNode)});
  std::vector<sweeps::Cell> cells;
  for (int seed = 0; seed < kTrials; ++seed) cells.push_back(make_cell(seed, 2, {1, seed % 50 == 0 ? 8 : 1}, 2));
  std::mt19937 random(3);
  SimulatedCluster cluster(cells, agents, Policy(), 3);
  cluster.node_loss_chance = 1e-4;
  for (const auto& cell : cells) {
    cluster.scripts[cell.id] = {random() % 100 == 0 ? 1 : 0, false, std::uniform_real_distribution<>(10, 100)(random)};
  }
  cluster.run();
  EXPECT_EQ(cluster.exit_code(), ExitCode::kDone);
  EXPECT_GE(cluster.num_starts(), static_cast<std::size_t>(kTrials));
}

TEST(Simulation, StaysWithinGrahamsBoundOfTheShortestSchedule) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    constexpr int kCpus = 4;
    std::vector<sweeps::Cell> cells;
    std::vector<Job> jobs;
    for (int trial = 0; trial < 30; ++trial) {
      cells.push_back(make_cell(trial, std::uniform_int_distribution<>(1, 200)(random), {1, 0}, 1000));
      jobs.push_back({{1, 0}, static_cast<double>(cells.back().trial.train.steps)});
    }
    SimulatedCluster cluster(cells, {{1, "a", make_devices(kCpus)}}, Policy(), seed);
    const double begin_s = cluster.now_s();
    cluster.run();
    const double bound_s = makespan_bound_s({{kCpus, 0}}, jobs);
    const double took_s = cluster.now_s() - begin_s;
    EXPECT_GE(took_s, bound_s - 1e-9);
    // R. L. Graham, Bounds on multiprocessing timing anomalies (1969): longest first takes at most 4/3 - 1/(3m).
    EXPECT_LE(took_s, bound_s * (4.0 / 3.0 - 1.0 / (3.0 * kCpus)) + 1e-9);
  }
}

}  // namespace
}  // namespace ditscale::orchestrator
