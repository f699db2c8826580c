#include "tests/integration/slurm/slurm_fixture.hpp"

namespace ditscale::tests {
namespace {

using ::testing::HasSubstr;

/// Ends of allocations in which Slurm does not send the job back into the queue by itself.
class SlurmLoss : public SlurmFixture {
 protected:
  static constexpr const char* kStarted = "running (attempt";
  static constexpr const char* kBack = "is back in the queue";

  /// Two nodes, and trials that last half a minute on each.
  std::string start_on_both_nodes() {
    write_sweep({0, 1, 2}, 150);
    const std::string job = submit(100, {"--nodes", "2", "--cpus-per-node", "1", "--time", "600"});
    EXPECT_TRUE(log_says(job, kStarted, 2)) << log_of(job);
    EXPECT_TRUE(events_contain("checkpoint"));
    return job;
  }
};

TEST_F(SlurmLoss, GoesOnWhenItsFirstNodeIsLostWithAllThatRanThere) {
  const std::string job = start_on_both_nodes();
  ASSERT_EQ(cluster({"power-off", "n0"}).code, 0);
  // Slurm takes the node out of the job and leaves it the other: nobody but the guard is there to notice.
  ASSERT_TRUE(becomes(job, "PENDING", 150)) << log_of(job);
  ASSERT_EQ(cluster({"start-node", "n0"}).code, 0);
  ASSERT_TRUE(becomes(job, "COMPLETED", 150)) << log_of(job);
  expect_each_succeeded_once(3);
}

TEST_F(SlurmLoss, GoesOnWhenAnotherNodeIsLostWithAllThatRanThere) {
  const std::string job = start_on_both_nodes();
  ASSERT_EQ(cluster({"power-off", "n1"}).code, 0);
  // The step of the daemon that was lost keeps the processors of the first node until Slurm has noticed.
  ASSERT_TRUE(log_says(job, "the run was cut short; starting again on the nodes that are left", 1, 60)) << log_of(job);
  ASSERT_TRUE(log_says(job, kStarted, 3, 60)) << log_of(job);
  ASSERT_TRUE(becomes(job, "COMPLETED", 200)) << log_of(job);
  ASSERT_EQ(cluster({"start-node", "n1"}).code, 0);
  expect_each_succeeded_once(3);
}

TEST_F(SlurmLoss, GoesOnWhenItsFirstNodeLosesItsDaemon) {
  const std::string job = start_on_both_nodes();
  ASSERT_EQ(cluster({"kill-node", "n0"}).code, 0);
  ASSERT_TRUE(log_says(job, "Slurm has taken this node out of job " + job, 1, 100)) << log_of(job);
  ASSERT_TRUE(log_says(job, kBack)) << log_of(job);
  ASSERT_TRUE(becomes(job, "PENDING"));
  ASSERT_EQ(cluster({"start-node", "n0"}).code, 0);
  ASSERT_TRUE(becomes(job, "COMPLETED", 150)) << log_of(job);
  expect_each_succeeded_once(3);
}

TEST_F(SlurmLoss, IsSubmittedAnewWhereRequeuingIsRefused) {
  write_sweep({0, 1}, 250);
  const std::string job =
      submit(200, {"--cpus-per-node", "2", "--time", "60", "--save-before", "25", "--", "--no-requeue"});
  ASSERT_TRUE(log_says(job, "requeuing is not allowed here; job ", 1, 100)) << log_of(job);
  EXPECT_THAT(log_of(job), HasSubstr("scontrol requeue " + job + ": exit code 1"));
  std::string next = std::to_string(std::stoi(job) + 1);
  EXPECT_THAT(orchestrator({"status", "study"}).out, HasSubstr("job " + next + " is "));
  ASSERT_TRUE(becomes(job, "FAILED")) << "not complete: exit code 4";
  // Slurm's signal may come up to a minute early: the rest may need more than one.
  for (int look = 0; !becomes(next, "COMPLETED", 5); next = last_job()) ASSERT_LT(++look, 30) << log_of(next);
  expect_each_succeeded_once(2);
}

}  // namespace
}  // namespace ditscale::tests
