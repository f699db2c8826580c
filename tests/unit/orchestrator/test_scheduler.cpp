#include "orchestrator/coordinator/admission.hpp"
#include "orchestrator/coordinator/scheduler.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The order as it is before a better one is looked for.
class Scheduler : public ClusterFixture {
 protected:
  Scheduler() { policy.max_order_tries = 0; }
};

TEST_F(Scheduler, NeverGivesOneDeviceToTwoTrials) {
  sweep_of({make_cell(0), make_cell(1), make_cell(2)});
  join_one(2);
  ASSERT_THAT(started(), ElementsAre(0, 1));
  EXPECT_EQ(state.trials[0].run->shares.front().devices.cpus, std::vector<int>{0});
  EXPECT_EQ(state.trials[1].run->shares.front().devices.cpus, std::vector<int>{1});
  EXPECT_THAT(state.nodes.at(1).free.cpus, IsEmpty());
}

TEST_F(Scheduler, LetsShorterTrialsGoAheadOfOneThatDoesNotFit) {
  sweep_of({make_cell(0, 1000, {1, 0}), make_cell(1, 900, {2, 0}), make_cell(2, 800, {1, 0})});
  join_one(2);
  EXPECT_THAT(started(), ElementsAre(0, 2));
}

TEST_F(Scheduler, KeepsANodeFreeForATrialThatWasOvertakenTooOften) {
  policy.max_overtakes = 3;
  std::vector<sweeps::Cell> cells{make_cell(0, 100'000, {1, 0}), make_cell(1, 90'000, {2, 0})};
  for (int seed = 2; seed < 20; ++seed) cells.push_back(make_cell(seed, 100, {1, 0}));
  sweep_of(cells);
  join_one(2);
  int started_ahead = 0;
  for (std::size_t trial = 2; trial < cells.size() && !state.trials[1].run; ++trial) {
    if (!state.trials[trial].run) break;
    ++started_ahead;
    end_with(trial, "succeeded");
  }
  EXPECT_EQ(started_ahead, 3);
  end_with(0, "succeeded");
  EXPECT_TRUE(state.trials[1].run);
}

sweeps::ResourceSpec urgent(std::int64_t priority) {
  sweeps::ResourceSpec resources;
  resources.priority = priority;
  return resources;
}

TEST_F(Scheduler, StartsHigherPrioritiesFirstWhateverTheirLength) {
  sweep_of(
      {make_cell(0, 9000), make_cell(1, 10, urgent(1)), make_cell(2, 20, urgent(2)), make_cell(3, 9000, urgent(-1))});
  join_one(3);
  EXPECT_THAT(started(), ElementsAre(2, 1, 0));
}

TEST_F(Scheduler, StartsAGangOfSeveralNodesBeforeLongerTrialsUnlessTheyMayDecideTheEnd) {
  const std::vector<AgentReport> two{{1, "a", make_devices(2)}, {2, "b", make_devices(2)}};
  sweeps::ResourceSpec gang;
  gang.processes = 4;
  std::vector<sweeps::Cell> cells{make_cell(0, 100'000), make_cell(1, 10, gang)};
  sweep_of(cells);
  join(two);
  EXPECT_THAT(started(), ElementsAre(0)) << "nothing else is as long: it goes first";
  for (int seed = 2; seed < 20; ++seed) cells.push_back(make_cell(seed, 90'000));
  state = {};
  sweep_of(cells);
  join(two);
  EXPECT_THAT(started(), ElementsAre(1));
}

/// One running for about 20 s, one that waits for two devices, one of minutes and one of about 4 s behind it.
std::vector<sweeps::Cell> gap_in_front_of_a_wide_trial() {
  return {make_cell(0, 30'000, urgent(1)), make_cell(1, 3'000'000, {2, 0}), make_cell(2, 900'000), make_cell(3, 1000)};
}

TEST_F(Scheduler, LetsGoAheadWhatEndsBeforeTheReservedDevicesAreFree) {
  sweep_of(gap_in_front_of_a_wide_trial());
  join_one(2);
  EXPECT_THAT(started(), ElementsAre(0, 3));
  end_with(3, "succeeded");
  end_with(0, "succeeded");
  EXPECT_THAT(started(), ElementsAre(1));
}

TEST_F(Scheduler, LetsGoAheadWhatLeavesEnoughOfTheReservedNode) {
  sweep_of(gap_in_front_of_a_wide_trial());
  join_one(3);
  EXPECT_THAT(started(), ElementsAre(0, 1));
  state = {};
  auto cells = gap_in_front_of_a_wide_trial();
  cells.push_back(make_cell(4, 30'000, urgent(1)));
  sweep_of(cells);
  join_one(3);
  EXPECT_THAT(started(), ElementsAre(0, 4, 2));
}

TEST_F(Scheduler, PutsTheLastProcessesOfAGangWhereTheyFitMostTightly) {
  sweep_of({make_cell(0, 1000, {1, 10})});
  join({{1, "a", make_devices(8, 8)}, {2, "b", make_devices(8, 8)}, {3, "c", make_devices(8, 3)}});
  const Shares& shares = state.trials[0].run->shares;
  ASSERT_EQ(shares.size(), 2U);
  EXPECT_EQ(shares[0].agent, 1);
  EXPECT_EQ(shares[1].agent, 3);
}

TEST_F(Scheduler, StartsNothingThatCannotReachACheckpointInTimeAndKeepsItForLater) {
  // About 3 s of start-up and 0.6 ms a step: the long one's checkpoint comes after minutes, the limit of 100 s stops
  // at 75.
  sweep_of({make_cell(0, 1'000'000, {1, 0}, 1'000'000), make_cell(1, 1000, {1, 0})}, 100);
  join_one(1);
  EXPECT_THAT(started(), ElementsAre(1));
  end_with(1, "succeeded");
  EXPECT_EQ(all_of<Finish>(actions).size(), 1U);
  EXPECT_THAT(state.too_late, ElementsAre(0));
}

TEST_F(Scheduler, LeavesNodesWithGpusToTrialsThatNeedThem) {
  sweep_of({make_cell(0, 1000, {1, 0})});
  join({{1, "gpu", make_devices(4, 2)}, {2, "cpu", make_devices(8, 0)}});
  EXPECT_EQ(state.trials[0].run->leader(), 2);
}

TEST_F(Scheduler, FillsTheFullerNodeFirst) {
  sweep_of({make_cell(0, 1000, {1, 0})});
  join({{1, "large", make_devices(4)}, {2, "small", make_devices(1)}});
  EXPECT_EQ(state.trials[0].run->leader(), 2);
}

sweeps::ResourceSpec processes(std::int64_t count, std::int64_t cpus = 1) {
  sweeps::ResourceSpec resources;
  resources.cpus = cpus;
  resources.processes = count;
  return resources;
}

TEST_F(Scheduler, StartsAGangWholeOrNotAtAll) {
  sweep_of({make_cell(0, 1000, {1, 2})});
  join({{1, "a", make_devices(1, 1)}, {2, "b", make_devices(1, 0)}});
  EXPECT_THAT(started(), IsEmpty());
  EXPECT_EQ(state.nodes.at(1).free, make_devices(1, 1));
}

TEST_F(Scheduler, PutsAGangOnOneNodeWhenItFits) {
  sweep_of({make_cell(0, 1000, processes(2, 2))});
  join({{1, "a", make_devices(3)}, {2, "b", make_devices(8)}, {3, "c", make_devices(4)}});
  EXPECT_EQ(state.trials[0].run->shares, (Shares{{3, "c", 2, make_devices(4)}}));
}

TEST_F(Scheduler, SpreadsAGangOverAsFewNodesAsThereCanBe) {
  sweep_of({make_cell(0, 1000, processes(8))});
  join({{1, "a", make_devices(3)}, {2, "b", make_devices(6)}, {3, "c", make_devices(3)}});
  const Shares& shares = state.trials[0].run->shares;
  ASSERT_EQ(shares.size(), 2U);
  EXPECT_EQ(shares[0], (Share{2, "b", 6, make_devices(6)}));
  EXPECT_EQ(shares[1], (Share{1, "a", 2, make_devices(2)}));
  EXPECT_EQ(devices_text(shares), "b: cpu 0,1,2,3,4,5; a: cpu 0,1");
}

TEST_F(Scheduler, SpreadsNoGangOverMoreNodesThanAllowed) {
  auto resources = processes(4);
  resources.max_nodes = 1;
  sweep_of({make_cell(0, 1000, resources)});
  join({{1, "a", make_devices(2)}, {2, "b", make_devices(2)}});
  EXPECT_THAT(started(), IsEmpty());
}

TEST_F(Scheduler, StartsAGangWithFewerProcessesOnlyWhereItMay) {
  auto resources = processes(8);
  resources.min_processes = 2;
  sweep_of({make_cell(0, 1000, resources), make_cell(1, 1000, processes(8))});
  join_one(7);  // 7, 6 and 5 do not divide the batch of 8
  ASSERT_THAT(started(), ElementsAre(0));
  EXPECT_EQ(num_processes(state.trials[0].run->shares), 4);
}

TEST_F(Scheduler, WaitsForDevicesThatAreBusyBeforeItShrinksAGang) {
  auto resources = processes(4);
  resources.min_processes = 1;
  sweep_of({make_cell(0, 100'000), make_cell(1, 1000, resources)});
  join_one(4);
  EXPECT_THAT(started(), ElementsAre(0));
  end_with(0, "succeeded");
  EXPECT_EQ(num_processes(state.trials[1].run->shares), 4);
}

TEST(Admission, RefusesATrialThatIsLargerThanEveryNode) {
  const std::vector<AgentReport> agents{{1, "a", make_devices(2, 0)}, {2, "b", make_devices(4, 4)}};
  EXPECT_FALSE(
      why_too_large({make_cell(0, 100, {2, 0}), make_cell(1, 100, {1, 4}), make_cell(2, 100, processes(3))}, agents));
  const auto reason = why_too_large({make_cell(0, 100, {1, 8})}, agents);
  ASSERT_TRUE(reason);
  EXPECT_THAT(*reason, HasSubstr("asks for 8 processes of 1 cpu and 1 gpu"));
  EXPECT_THAT(*reason, HasSubstr("(1 node with 2 cpus; 1 node with 4 cpus and 4 gpus)"));
}

TEST(Admission, LeavesADeviceThatTwoAgentsReportToOneOfThem) {
  std::vector<AgentReport> agents{{1, "a", make_devices(3, 1)}, {2, "b", make_devices(2)}, {3, "a", make_devices(4)}};
  share_devices(agents);
  EXPECT_EQ(agents[0].devices, (Devices{{0, 2}, {"0"}}));
  EXPECT_EQ(agents[1].devices, make_devices(2));
  EXPECT_EQ(agents[2].devices, (Devices{{1, 3}, {}}));
}

TEST(DevicesTest, GiveBackWhatWasTaken) {
  Devices devices = make_devices(3, 2);
  const Devices whole = devices;
  const Devices taken = devices.take({2, 1}, 1);
  EXPECT_EQ(taken.text(), "gpu 0, cpu 0,1");
  EXPECT_EQ(devices.room_for({2, 0}), 0);
  devices.give_back(taken);
  EXPECT_EQ(devices, whole);
  EXPECT_ANY_THROW(devices.give_back(taken));
}

}  // namespace
}  // namespace ditscale::orchestrator
