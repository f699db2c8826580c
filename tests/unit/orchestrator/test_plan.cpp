#include "orchestrator/plan/plan.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

sweeps::Speed assumed(const Ask&) { return {}; }

sweeps::Sweep sweep_of(std::vector<sweeps::Cell> cells) {
  sweeps::Sweep sweep;
  sweep.name = "planned";
  sweep.cells = std::move(cells);
  return sweep;
}

TEST(Plan, SchedulesWhatCanRunAndSaysWhatCannot) {
  const Plan plan = make_plan(sweep_of({make_cell(0), make_cell(1, 1000, {4, 0}), make_cell(2)}),
                              {{1, "a", make_devices(2)}}, assumed);
  EXPECT_EQ(plan.num_refused(), 1U);
  EXPECT_THAT(plan.rows[1].refusal, HasSubstr("asks for 4 cpus, more than is here (1 node with 2 cpus)"));
  EXPECT_THAT(plan_text(plan), HasSubstr("cannot run: trial"));
  EXPECT_EQ(plan.forecast.spans.size(), 2U);
  EXPECT_DOUBLE_EQ(plan.device_seconds, plan.rows[0].predicted_s + plan.rows[2].predicted_s);
  EXPECT_NEAR(plan.forecast.makespan_s, plan.rows[0].predicted_s, 1e-6) << "side by side";
}

TEST(Plan, TakesAllThatCannotRunToBeNoSchedule) {
  const Plan plan = make_plan(sweep_of({make_cell(0, 1000, {4, 0})}), {{1, "a", make_devices(2)}}, assumed);
  EXPECT_THAT(plan.forecast.spans, IsEmpty());
  EXPECT_EQ(plan.device_seconds, 0);
}

TEST(Plan, CountsCostByTheHourOfADevice) {
  Plan plan = make_plan(sweep_of({make_cell(0, 1000, {2, 0})}), {{1, "a", make_devices(2)}}, assumed);
  EXPECT_TRUE(plan_json(plan)["cost"].is_null());
  plan.price_per_hour = 3600;
  EXPECT_DOUBLE_EQ(plan_json(plan)["cost"].get<double>(), 2 * plan.rows[0].predicted_s);
}

TEST(Plan, TakesLongerWhereNodesFail) {
  FailureQuestion failures;
  failures.num_runs = 20;
  failures.node_mtbf_s = 60;
  std::vector<sweeps::Cell> cells;
  for (int seed = 0; seed < 8; ++seed) cells.push_back(make_cell(seed, 400'000, {1, 0}, 1000));
  const Plan plan =
      make_plan(sweep_of(cells), {{1, "a", make_devices(2)}, {2, "b", make_devices(2)}}, assumed, failures);
  ASSERT_EQ(plan.forecast.with_failures_s.size(), 20U);
  EXPECT_GT(quantile(plan.forecast.with_failures_s, 0.5), plan.forecast.makespan_s);
}

TEST(Plan, OfAGangThatMustShrinkIsThatOfTheSmallerGang) {
  sweeps::ResourceSpec may_shrink{1, 0};
  may_shrink.processes = 8;
  may_shrink.min_processes = 2;
  sweeps::ResourceSpec small{1, 0};
  small.processes = 2;
  const std::vector<AgentReport> agents{{1, "a", make_devices(2)}};
  const DeviceMemory memory{std::nullopt, 1e9};
  const auto planned = [&](const sweeps::ResourceSpec& resources) {
    return make_plan(sweep_of({make_cell(0, 100'000, resources)}), agents, assumed, {}, memory);
  };
  const Plan shrunk = planned(may_shrink);
  const Plan expected = planned(small);
  EXPECT_EQ(shrunk.rows[0].id, expected.rows[0].id);
  EXPECT_EQ(shrunk.rows[0].ask.text(), "2 processes of 1 cpu");
  EXPECT_EQ(shrunk.rows[0].predicted_s, expected.rows[0].predicted_s);
  EXPECT_EQ(shrunk.rows[0].memory_bytes, expected.rows[0].memory_bytes);
  EXPECT_EQ(shrunk.rows[0].largest_micro_batch, expected.rows[0].largest_micro_batch);
  EXPECT_EQ(shrunk.device_seconds, expected.device_seconds);
  EXPECT_EQ(shrunk.makespan_bound_s, expected.makespan_bound_s);
  EXPECT_EQ(shrunk.forecast.makespan_s, expected.forecast.makespan_s);
}

TEST(Plan, OfAGangOfGpusThatMustShrinkCountsFewerGpus) {
  sweeps::ResourceSpec may_shrink{1, 8};
  may_shrink.min_processes = 1;
  const Plan plan = make_plan(sweep_of({make_cell(0, 1000, may_shrink)}), {{1, "a", make_devices(4, 4)}}, assumed);
  EXPECT_EQ(plan.rows[0].ask.total_gpus(), 4);
  EXPECT_DOUBLE_EQ(plan.device_seconds, 4 * plan.rows[0].predicted_s);
}

TEST(Plan, QuantileIsOfTheNearestRank) {
  EXPECT_EQ(quantile({1, 2, 3, 4}, 0.5), 2);
  EXPECT_EQ(quantile({1, 2, 3, 4}, 0.9), 4);
  EXPECT_EQ(quantile({7}, 0.0), 7);
}

}  // namespace
}  // namespace ditscale::orchestrator
