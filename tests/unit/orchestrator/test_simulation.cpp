#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/coordinator/makespan_bound.hpp"
#include "orchestrator/simulation/simulated_cluster.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using common::ExitCode;
using results::TrialState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Chance {
 public:
  explicit Chance(std::uint32_t seed) : random_(seed) {}
  int integer(int least, int most) { return std::uniform_int_distribution<>(least, most)(random_); }
  double real(double least, double most) { return std::uniform_real_distribution<>(least, most)(random_); }
  bool one_in(int count) { return integer(1, count) == 1; }

 private:
  std::mt19937 random_;
};

/// Four cores on each node at least, so that two nodes hold every ask.
std::vector<AgentReport> random_agents(Chance& chance) {
  std::vector<AgentReport> agents;
  const int count = chance.integer(2, 5);
  for (int rank = 1; rank <= count; ++rank) {
    agents.push_back({rank, "node", make_devices(chance.integer(4, 8), chance.integer(1, 4))});
  }
  return agents;
}

sweeps::ResourceSpec random_resources(Chance& chance) {
  sweeps::ResourceSpec resources{chance.integer(1, 2), chance.one_in(4) ? chance.integer(1, 2) : 0};
  if (resources.gpus == 0 && chance.one_in(3)) {
    resources.processes = chance.one_in(2) ? 4 : 2;
    if (chance.one_in(2)) resources.min_processes = 1;
    if (chance.one_in(3)) resources.max_nodes = 2;
  }
  resources.priority = chance.one_in(5) ? chance.integer(-1, 1) : 0;
  return resources;
}

std::vector<sweeps::Cell> random_cells(Chance& chance) {
  std::vector<sweeps::Cell> cells;
  const int count = chance.integer(3, 25);
  for (int seed = 0; seed < count; ++seed) {
    cells.push_back(make_cell(seed, chance.integer(2, 20), random_resources(chance), 3));
  }
  return cells;
}

SimulationOptions random_options(Chance& chance, std::uint32_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.tells_every_checkpoint = !chance.one_in(3);
  options.checks_replay = chance.one_in(4);
  options.policy.max_order_tries = chance.one_in(2) ? 10 : 0;
  options.misfortunes.node_mtbf_s = chance.real(100, 2000);
  options.misfortunes.node_repair_s = chance.real(1, 60);
  options.misfortunes.preemption_s = chance.real(50, 1000);
  if (chance.one_in(3)) options.limit_s = chance.real(30, 200);
  while (chance.one_in(3)) options.stops_s.push_back(chance.real(0, 100));
  return options;
}

TrialState expected_state(const Script& script, const Policy& policy) {
  if (script.diverges) return TrialState::kDiverged;
  return script.num_failures > policy.retries ? TrialState::kFailed : TrialState::kSucceeded;
}

TEST(Simulation, BreaksNoRuleAndEndsEveryTrialAsItsScriptSaysWhateverBefallsTheCluster) {
  std::size_t num_lost_nodes = 0;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    const auto agents = random_agents(chance);
    const auto cells = random_cells(chance);
    const SimulationOptions options = random_options(chance, seed);
    SimulatedCluster cluster(cells, agents, options);
    for (const auto& cell : cells) {
      cluster.scripts[cell.id] = {chance.real(0.1, 3.0), chance.real(0, 2), chance.one_in(3) ? chance.integer(1, 4) : 0,
                                  chance.one_in(20)};
    }
    cluster.run();
    EXPECT_THAT(cluster.violations(), IsEmpty());
    bool all_good = true;
    for (const Trial& trial : cluster.state().trials) {
      const TrialState expected = expected_state(cluster.scripts[trial.cell.id], options.policy);
      EXPECT_EQ(trial.state, expected) << trial.cell.id.brief() << ": " << trial.reason;
      all_good = all_good && expected == TrialState::kSucceeded;
    }
    EXPECT_EQ(cluster.exit_code(), all_good ? ExitCode::kDone : ExitCode::kFinishedWithFailures);
    num_lost_nodes += cluster.num_lost_nodes();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(num_lost_nodes, 100U);
}

class KilledCoordinator : public testing::TestWithParam<CrashPoint> {
 protected:
  static SimulatedCluster cluster() {
    std::vector<sweeps::Cell> cells;
    for (int seed = 0; seed < 8; ++seed) cells.push_back(make_cell(seed, 4 + seed % 3, {1 + seed % 2, 0}, 2));
    sweeps::ResourceSpec gang;
    gang.processes = 4;
    cells.push_back(make_cell(8, 6, gang, 2));
    SimulationOptions options;
    options.seed = 7;
    options.checks_replay = true;
    SimulatedCluster made(cells, {{1, "a", make_devices(2)}, {2, "b", make_devices(3)}}, options);
    made.scripts[cells[2].id].num_failures = 2;
    made.scripts[cells[3].id].num_failures = 9;
    made.scripts[cells[4].id].diverges = true;
    return made;
  }

  /// A trial that did not succeed may have saved more or less when it was told to stop.
  static std::vector<std::string> outcome_of(const SimulatedCluster& cluster) {
    std::vector<std::string> table;
    for (const std::string& line : cluster.final_table()) {
      const bool succeeded = line.find(" succeeded ") != std::string::npos;
      table.push_back(succeeded ? line : line.substr(0, line.rfind(' ')));
    }
    return table;
  }
};

TEST_P(KilledCoordinator, EndsWithTheSameTableAtWhateverEventItDies) {
  SimulatedCluster undisturbed = cluster();
  undisturbed.run();
  ASSERT_GT(undisturbed.num_events(), 40U);
  EXPECT_THAT(outcome_of(undisturbed), Contains(HasSubstr("failed")));
  for (std::size_t event = 0; event < undisturbed.num_events(); ++event) {
    SimulatedCluster killed = cluster();
    killed.run(Crash{event, GetParam()});
    EXPECT_EQ(outcome_of(killed), outcome_of(undisturbed)) << "killed at event " << event;
    EXPECT_THAT(killed.violations(), IsEmpty()) << "killed at event " << event;
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
  constexpr int kTrials = 12'000;
  std::vector<AgentReport> agents;
  for (int rank = 1; rank <= kNodes; ++rank) agents.push_back({rank, "node", make_devices(kGpusPerNode, kGpusPerNode)});
  std::vector<sweeps::Cell> cells;
  for (int seed = 0; seed < kTrials; ++seed) cells.push_back(make_cell(seed, 2, {1, seed % 50 == 0 ? 16 : 1}, 2));
  Chance chance(3);
  SimulationOptions options;
  options.misfortunes.node_mtbf_s = 50'000;
  SimulatedCluster cluster(cells, agents, options);
  for (const auto& cell : cells) cluster.scripts[cell.id] = {chance.real(10, 100), 0, chance.one_in(100) ? 1 : 0};
  cluster.run();
  EXPECT_EQ(cluster.exit_code(), ExitCode::kDone);
  EXPECT_THAT(cluster.violations(), IsEmpty());
  EXPECT_GT(cluster.num_lost_nodes(), 0U);
}

TEST(Simulation, StaysWithinGrahamsBoundOfTheShortestSchedule) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    Chance chance(seed);
    constexpr int kCpus = 4;
    std::vector<sweeps::Cell> cells;
    std::vector<Job> jobs;
    for (int trial = 0; trial < 30; ++trial) {
      cells.push_back(make_cell(trial, chance.integer(1, 200), {1, 0}, 1000));
      jobs.push_back({{1, 0}, static_cast<double>(cells.back().trial.train.steps)});
    }
    SimulatedCluster cluster(cells, {{1, "a", make_devices(kCpus)}}, {});
    cluster.run();
    const double bound_s = makespan_bound_s({{kCpus, 0}}, jobs);
    EXPECT_GE(cluster.elapsed_s(), bound_s - 1e-9);
    // R. L. Graham, Bounds on multiprocessing timing anomalies (1969): longest first takes at most 4/3 - 1/(3m).
    EXPECT_LE(cluster.elapsed_s(), bound_s * (4.0 / 3.0 - 1.0 / (3.0 * kCpus)) + 1e-9);
  }
}

TEST(Simulation, DecidesTheSameWhenItIsToldTheNewestCheckpointOnly) {
  const auto ends_of = [](bool tells_every_checkpoint) {
    std::vector<sweeps::Cell> cells;
    for (int seed = 0; seed < 30; ++seed) cells.push_back(make_cell(seed, 20 + seed, {1 + seed % 2, 0}, 3));
    SimulationOptions options;
    options.tells_every_checkpoint = tells_every_checkpoint;
    options.misfortunes.node_mtbf_s = 300;
    options.misfortunes.node_repair_s = 20;
    SimulatedCluster cluster(cells, {{1, "a", make_devices(4)}, {2, "b", make_devices(3)}}, options);
    for (const auto& cell : cells) cluster.scripts[cell.id].num_failures = cell.trial.seed % 7 == 0 ? 1 : 0;
    cluster.run();
    EXPECT_GT(cluster.num_lost_nodes(), 0U);
    std::vector<std::pair<std::size_t, double>> ends;
    for (const Span& span : cluster.spans()) ends.emplace_back(span.position, span.end_s);
    std::sort(ends.begin(), ends.end());
    return ends;
  };
  EXPECT_EQ(ends_of(true), ends_of(false));
}

TEST(Simulation, ANodeOnWhichNothingCanBeginCostsAFewAttempts) {
  std::vector<sweeps::Cell> cells;
  for (int seed = 0; seed < 64; ++seed) cells.push_back(make_cell(seed, 20));
  std::vector<AgentReport> agents;
  for (int rank = 1; rank <= 4; ++rank) agents.push_back({rank, "node", make_devices(2)});
  SimulationOptions options;
  options.misfortunes.bad_agents = {2};
  SimulatedCluster cluster(cells, agents, options);
  cluster.run();
  EXPECT_EQ(cluster.exit_code(), ExitCode::kDone) << "every trial has succeeded";
  EXPECT_THAT(cluster.violations(), IsEmpty());
  EXPECT_LE(cluster.num_false_starts(), 12U) << "two at first, then one or two after each rest";
  EXPECT_GE(cluster.num_false_starts(), 2U);
}

/// A cluster of one node whose coordinator's first decision is spoilt by `spoil`.
std::vector<std::string> violations_when(const std::function<void(StartTrainer&)>& spoil) {
  SimulatedCluster cluster({make_cell(0, 4), make_cell(1, 4, {1, 2})}, {{1, "a", make_devices(3, 2)}}, {});
  cluster.decide = [&](State& state, const ClusterEvent& event, double now_s) {
    Actions actions = react(state, event, now_s);
    for (Action& action : actions) {
      if (auto* start = std::get_if<StartTrainer>(&action)) spoil(*start);
    }
    return actions;
  };
  cluster.run();
  return cluster.violations();
}

TEST(Ledger, NotesEachRuleThatIsBroken) {
  EXPECT_THAT(violations_when([](StartTrainer&) {}), IsEmpty());
  EXPECT_THAT(violations_when([](StartTrainer& start) { start.shares[0].devices.cpus[0] = 0; }),
              Contains(HasSubstr("cpu 0 given twice")));
  EXPECT_THAT(violations_when([](StartTrainer& start) { start.shares[0].processes = 1; }),
              Contains(HasSubstr("did not start whole")));
  EXPECT_THAT(violations_when([](StartTrainer& start) { start.shares[0].agent = 9; }),
              Contains(HasSubstr("on a node that is gone")));
}

TEST(Ledger, NotesAnEndThatIsAcceptedTwiceAndAStartThatIsTooLate) {
  State state = make_state({make_cell(0, 10'000'000, {1, 0}, 10'000'000)}, Policy(), 0, 100.0);
  const common::TrialId id = state.trials[0].cell.id;
  Ledger ledger;
  ledger.node_came(1);
  const SetTrialState end{id, TrialState::kSucceeded, "", 1};
  ledger.decided({end, end}, state, {}, 1);
  EXPECT_THAT(ledger.violations(), ElementsAre(HasSubstr("after its end was accepted")));
  ledger.decided({StartTrainer{id, common::AttemptNumber{1}, {{1, "a", 1, make_devices(1)}}}}, state, {}, 1);
  EXPECT_THAT(ledger.violations(), Contains(HasSubstr("cannot reach a checkpoint")));
}

TEST(Ledger, NotesThatTheFirstInLineStarves) {
  State state = make_state({make_cell(0), make_cell(1)}, Policy(), 0, std::nullopt);
  ASSERT_TRUE(state.nodes.add(1, "a", make_devices(1)));
  enqueue(state, 0, 0);
  Ledger ledger;
  ledger.ended(state.trials[1].cell.id, {}, 10);
  ledger.decided({}, state, {}, 0);
  ledger.decided({}, state, {}, 10 * (state.policy.max_overtakes + 2));
  EXPECT_THAT(ledger.violations(), IsEmpty());
  ledger.decided({}, state, {}, 10 * (state.policy.max_overtakes + 2) + 1);
  EXPECT_THAT(ledger.violations(), ElementsAre(HasSubstr("starves")));
}

TEST(Ledger, NotesWhatARestartWouldForget) {
  State live = make_state({make_cell(0)}, Policy(), 0, std::nullopt);
  const State replayed = live;
  live.trials[0].failures = 1;
  Ledger ledger;
  ledger.compare_replayed(live, replayed);
  EXPECT_THAT(ledger.violations(), ElementsAre(HasSubstr("failures")));
}

}  // namespace
}  // namespace ditscale::orchestrator
