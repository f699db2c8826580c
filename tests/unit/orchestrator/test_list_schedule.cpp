#include <gtest/gtest.h>

#include "orchestrator/plan/list_schedule.hpp"

namespace ditscale::orchestrator {
namespace {

TEST(ListSchedule, OfNothingTakesNoTime) { EXPECT_EQ(makespan_s({{2, 0}}, {}), 0); }

TEST(ListSchedule, RunsSideBySideWhatFits) {
  const std::vector<Job> jobs{{{1, 0}, 10}, {{1, 0}, 6}, {{1, 0}, 5}};
  EXPECT_DOUBLE_EQ(makespan_s({{2, 0}}, jobs), 11);
  EXPECT_DOUBLE_EQ(makespan_bound_s({{2, 0}}, jobs), 11);
}

TEST(ListSchedule, LetsLaterJobsGoAheadOfOneThatDoesNotFit) {
  const std::vector<Job> jobs{{{1, 0}, 10}, {{2, 0}, 8}, {{1, 0}, 4}};
  EXPECT_DOUBLE_EQ(makespan_s({{2, 0}}, jobs), 18);
}

TEST(ListSchedule, NeedsGpusWhereAskedFor) {
  const std::vector<Job> jobs{{{1, 1}, 10}, {{1, 1}, 10}, {{1, 0}, 3}};
  EXPECT_DOUBLE_EQ(makespan_s({{4, 1}, {4, 0}}, jobs), 20);
  EXPECT_DOUBLE_EQ(makespan_bound_s({{4, 1}, {4, 0}}, jobs), 20);
}

TEST(ListSchedule, LeavesOutJobsThatFitNowhere) { EXPECT_EQ(makespan_s({{2, 0}}, {{{3, 0}, 10}}), 0); }

TEST(MakespanBound, AddsUpJobsThatCannotOverlap) {
  EXPECT_DOUBLE_EQ(makespan_bound_s({{4, 0}}, {{{3, 0}, 10}, {{3, 0}, 6}, {{1, 0}, 1}}), 16);
  EXPECT_DOUBLE_EQ(makespan_bound_s({{8, 4}, {8, 4}}, {{{1, 1, 5}, 10}, {{1, 1, 8}, 6}, {{4, 0}, 7}}), 16);
}

TEST(MakespanBound, SpreadsManyJobsEvenly) {
  EXPECT_DOUBLE_EQ(makespan_bound_s({{2, 0}, {2, 0}}, std::vector<Job>(40, {{1, 0}, 3})), 30);
}

// Graham's own worst case for longest first on m = 2: jobs 3 3 2 2 2 take 7 where 6 are possible.
TEST(ListSchedule, ShowsGrahamsWorstCase) {
  const std::vector<Job> jobs{{{1, 0}, 3}, {{1, 0}, 3}, {{1, 0}, 2}, {{1, 0}, 2}, {{1, 0}, 2}};
  EXPECT_DOUBLE_EQ(makespan_s({{2, 0}}, jobs), 7);
  EXPECT_DOUBLE_EQ(makespan_bound_s({{2, 0}}, jobs), 6);
}

}  // namespace
}  // namespace ditscale::orchestrator
