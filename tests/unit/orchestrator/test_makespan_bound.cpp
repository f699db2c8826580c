#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "orchestrator/coordinator/makespan_bound.hpp"

namespace ditscale::orchestrator {
namespace {

TEST(MakespanBound, AddsUpJobsThatCannotOverlap) {
  EXPECT_DOUBLE_EQ(makespan_bound_s({{4, 0}}, {{{3, 0}, 10}, {{3, 0}, 6}, {{1, 0}, 1}}), 16);
  EXPECT_DOUBLE_EQ(makespan_bound_s({{8, 4}, {8, 4}}, {{{1, 1, 5}, 10}, {{1, 1, 8}, 6}, {{4, 0}, 7}}), 16);
}

TEST(MakespanBound, SpreadsManyJobsEvenly) {
  EXPECT_DOUBLE_EQ(makespan_bound_s({{2, 0}, {2, 0}}, std::vector<Job>(40, {{1, 0}, 3})), 30);
}

TEST(MakespanBound, KnowsThatSomeTwoOfTheLongestDoNotOverlap) {
  EXPECT_DOUBLE_EQ(makespan_bound_s({{2, 0}}, {{{1, 0}, 10}, {{1, 0}, 6}, {{1, 0}, 5}}), 11);
  EXPECT_DOUBLE_EQ(makespan_bound_s({{4, 1}, {4, 0}}, {{{1, 1}, 10}, {{1, 1}, 10}, {{1, 0}, 3}}), 20);
}

/// Each job of `order` as early as the cores of one node allow beside those before it; times are whole seconds.
int makespan_in_order_s(const std::vector<Job>& jobs, const std::vector<std::size_t>& order, int num_cpus) {
  std::vector<int> used(200, 0);
  int makespan_s = 0;
  for (const std::size_t job : order) {
    const auto seconds = static_cast<int>(jobs[job].seconds);
    const auto width = static_cast<int>(jobs[job].ask.cpus);
    int start_s = 0;
    for (int at = start_s; at < start_s + seconds; ++at) {
      if (used[static_cast<std::size_t>(at)] + width > num_cpus) start_s = at + 1;
    }
    for (int at = start_s; at < start_s + seconds; ++at) used[static_cast<std::size_t>(at)] += width;
    makespan_s = std::max(makespan_s, start_s + seconds);
  }
  return makespan_s;
}

/// Some order of the jobs gives a shortest schedule, so all orders together tell what it takes.
int shortest_s(const std::vector<Job>& jobs, int num_cpus) {
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), 0U);
  int shortest_s = makespan_in_order_s(jobs, order, num_cpus);
  while (std::next_permutation(order.begin(), order.end())) {
    shortest_s = std::min(shortest_s, makespan_in_order_s(jobs, order, num_cpus));
  }
  return shortest_s;
}

TEST(MakespanBound, IsNeverAboveTheShortestScheduleAndOftenReachesIt) {
  std::mt19937 random(11);
  int num_reached = 0;
  constexpr int kCases = 200;
  for (int i = 0; i < kCases; ++i) {
    const int num_cpus = std::uniform_int_distribution<>(1, 5)(random);
    std::vector<Job> jobs;
    for (int job = 0; job < 6; ++job) {
      const int cpus = std::uniform_int_distribution<>(1, num_cpus)(random);
      jobs.push_back({{cpus, 0}, static_cast<double>(std::uniform_int_distribution<>(1, 9)(random))});
    }
    const double bound_s = makespan_bound_s({{num_cpus, 0}}, jobs);
    const int exact_s = shortest_s(jobs, num_cpus);
    EXPECT_LE(bound_s, exact_s + 1e-9);
    num_reached += exact_s < bound_s + 1 ? 1 : 0;
  }
  EXPECT_GT(num_reached, kCases / 2);
}

}  // namespace
}  // namespace ditscale::orchestrator
