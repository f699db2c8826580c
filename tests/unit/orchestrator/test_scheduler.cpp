#include "orchestrator/coordinator/admission.hpp"
#include "orchestrator/coordinator/scheduler.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Scheduler : public ClusterFixture {};

TEST_F(Scheduler, NeverGivesOneDeviceToTwoTrials) {
  sweep_of({make_cell(0), make_cell(1), make_cell(2)});
  join_one(2);
  ASSERT_THAT(started(), ElementsAre(0, 1));
  EXPECT_EQ(state.trials[0].run->devices.cpus, std::vector<int>{0});
  EXPECT_EQ(state.trials[1].run->devices.cpus, std::vector<int>{1});
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

TEST_F(Scheduler, LeavesNodesWithGpusToTrialsThatNeedThem) {
  sweep_of({make_cell(0, 1000, {1, 0})});
  join({{1, "gpu", make_devices(4, 2)}, {2, "cpu", make_devices(8, 0)}});
  EXPECT_EQ(state.trials[0].run->agent, 2);
}

TEST_F(Scheduler, FillsTheFullerNodeFirst) {
  sweep_of({make_cell(0, 1000, {1, 0})});
  join({{1, "large", make_devices(4)}, {2, "small", make_devices(1)}});
  EXPECT_EQ(state.trials[0].run->agent, 2);
}

TEST_F(Scheduler, StartsATrialWholeOrNotAtAll) {
  sweep_of({make_cell(0, 1000, {1, 2})});
  join({{1, "a", make_devices(1, 1)}, {2, "b", make_devices(1, 1)}});
  EXPECT_THAT(started(), IsEmpty());
}

TEST(Admission, RefusesATrialThatIsLargerThanEveryNode) {
  const std::vector<AgentReport> agents{{1, "a", make_devices(2, 0)}, {2, "b", make_devices(1, 4)}};
  EXPECT_FALSE(why_too_large({make_cell(0, 100, {2, 0}), make_cell(1, 100, {1, 4})}, agents));
  const auto reason = why_too_large({make_cell(0, 100, {2, 4})}, agents);
  ASSERT_TRUE(reason);
  EXPECT_THAT(*reason, HasSubstr("asks for 2 cpus and 4 gpus"));
  EXPECT_THAT(*reason, HasSubstr("2 cpus, or 1 cpu and 4 gpus"));
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
  const Devices taken = devices.take({2, 1});
  EXPECT_EQ(taken.text(), "gpu 0, cpu 0,1");
  EXPECT_FALSE(devices.covers({2, 0}));
  devices.give_back(taken);
  EXPECT_EQ(devices, whole);
  EXPECT_ANY_THROW(devices.give_back(taken));
}

}  // namespace
}  // namespace ditscale::orchestrator
