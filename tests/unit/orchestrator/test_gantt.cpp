#include "orchestrator/plan/gantt.hpp"
#include "orchestrator/plan/time_axis.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Three trials of 100 s on two nodes: the first on both (a gang), the second beside it on node b, the third after it
/// on node a.
Plan small_plan() {
  Plan plan;
  plan.name = "small";
  plan.agents = {{1, "a", make_devices(2)}, {2, "b", make_devices(2)}};
  for (std::int64_t seed = 0; seed < 3; ++seed) {
    PlanRow row;
    row.id = make_cell(seed).id;
    row.label = "seed=" + std::to_string(seed);
    plan.rows.push_back(row);
  }
  const Share on_a{1, "a", 1, {}};
  const Share on_b{2, "b", 1, {}};
  plan.forecast.spans = {
      {plan.rows[0].id, {on_a, on_b}, 0, 50}, {plan.rows[1].id, {on_b}, 0, 100}, {plan.rows[2].id, {on_a}, 50, 75}};
  plan.forecast.makespan_s = 100;
  return plan;
}

TEST(Gantt, DrawsASmallScheduleToTheCharacter) {
  const Plan plan = small_plan();
  EXPECT_EQ(gantt_text(gantt_of(plan, 40), 43),
            "   0           30 s        60 s        90 s\n"
            "   |-----------|-----------|-----------|---\n"
            "a  aaaaaaaaaaaaaaaaaaaacccccccccc..........\n"
            "b  aaaaaaaaaaaaaaaaaaaa....................\n"
            "   bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
            "   trial       from          to  label\n"
            "a  " +
                plan.rows[0].id.brief() + "   0.0 s      50.0 s  seed=0\nb  " + plan.rows[1].id.brief() +
                "   0.0 s  1 min 40 s  seed=1\nc  " + plan.rows[2].id.brief() + "  50.0 s  1 min 15 s  seed=2\n");
}

TEST(Gantt, SaysWhatItLeavesOut) {
  const Gantt gantt = gantt_of(small_plan(), 1);
  EXPECT_EQ(gantt.trials.size(), 2U);
  EXPECT_THAT(gantt_text(gantt, 80), HasSubstr("showing the first 1 of 2 nodes (1 of 3 lines)"));
  EXPECT_THAT(gantt_svg(gantt), HasSubstr("showing the first 1 of 2 nodes (1 of 3 lines)"));
}

TEST(Gantt, CountsTheTrialsThatGetNoLetter) {
  Plan plan = small_plan();
  plan.forecast.spans.clear();
  plan.rows.clear();
  for (int i = 0; i < 65; ++i) {
    PlanRow row;
    row.id = make_cell(i).id;
    plan.rows.push_back(row);
    plan.forecast.spans.push_back({row.id, {{1, "a", 1, {}}}, 1.5 * i, 1.5 * i + 1.5});
  }
  EXPECT_THAT(gantt_text(gantt_of(plan, 40), 80), HasSubstr("#  3 further trials\n"));
  EXPECT_THAT(gantt_svg(gantt_of(plan, 40)), HasSubstr("# 3 further trials"));
}

TEST(Gantt, IsNothingWhenNothingCanRun) {
  Plan plan;
  plan.agents = {{1, "a", make_devices(1)}};
  EXPECT_EQ(gantt_text(gantt_of(plan, 40), 80), "");
  EXPECT_THAT(gantt_svg(gantt_of(plan, 40)), HasSubstr("Nothing can run"));
}

TEST(Gantt, EscapesWhatThePictureShows) {
  Plan plan = small_plan();
  plan.name = "<script>";
  plan.agents[0].host = "a&b";
  plan.rows[0].label = "data.path=\"x\n\"";
  EXPECT_THAT(gantt_svg(gantt_of(plan, 40)),
              AllOf(HasSubstr("&lt;script&gt;: 1 min 40 s on 2 nodes"), HasSubstr(">a&amp;b</text>"),
                    HasSubstr("data.path=&quot;x?&quot;"), Not(HasSubstr("<script>"))));
}

TEST(TimeAxis, TicksWherePeopleCount) {
  EXPECT_EQ(tick_step_s(100, 5), 30);
  EXPECT_EQ(tick_step_s(3600, 8), 600);
  EXPECT_EQ(tick_step_s(9.6 * 60, 8), 120);
  EXPECT_EQ(tick_step_s(4.6 * 86'400, 8), 86'400);
  EXPECT_EQ(tick_step_s(40 * 86'400, 8), 5 * 86'400);
  EXPECT_DOUBLE_EQ(tick_step_s(0.9, 8), 0.2);
  EXPECT_EQ(tick_text(0, 30), "0");
  EXPECT_EQ(tick_text(5400, 1800), "90 min");
  EXPECT_EQ(tick_text(0.4, 0.2), "0.4 s");
  EXPECT_EQ(tick_text(43'200, 21'600), "12 h");
  EXPECT_EQ(tick_text(432'000, 432'000), "5 d");
}

}  // namespace
}  // namespace ditscale::orchestrator
