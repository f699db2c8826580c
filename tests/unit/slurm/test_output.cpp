#include <gmock/gmock.h>

#include "slurm/output.hpp"

namespace ditscale::slurm {
namespace {

using ::testing::IsEmpty;

/// As Slurm 22.05.8 printed it.
constexpr const char* kSqueue =
    "2|PENDING|1:00:00|2027-11-25T16:13:41|2||Priority|n/a\n"
    "4|PENDING|UNLIMITED|2026-11-25T17:13:40|1||BeginTime|n/a\n"
    "5|PENDING|UNLIMITED|N/A|5||PartitionConfig|n/a\n"
    "1|RUNNING|364-23:59:59|2026-11-25T16:13:41|1|n0|None|n0\n";

TEST(SlurmOutput, ReadsWhatSqueuePrinted) {
  const auto jobs = parse_squeue(kSqueue);
  ASSERT_EQ(jobs.size(), 4U);
  EXPECT_EQ(jobs[0].id, "2");
  EXPECT_EQ(jobs[0].phase, JobPhase::kQueued);
  EXPECT_EQ(jobs[0].reason, "Priority");
  EXPECT_EQ(jobs[0].left_s, 3600);
  EXPECT_EQ(jobs[0].start, "2027-11-25T16:13:41");
  EXPECT_EQ(jobs[1].left_s, std::nullopt);
  EXPECT_EQ(jobs[2].start, "");
  EXPECT_EQ(jobs[2].num_nodes, 5);
  EXPECT_EQ(jobs[3].phase, JobPhase::kActive);
  EXPECT_EQ(jobs[3].nodes, "n0");
  EXPECT_EQ(jobs[3].reason, "");
  EXPECT_EQ(jobs[3].batch_host, "n0");
  EXPECT_EQ(jobs[0].batch_host, "");
  EXPECT_EQ(jobs[3].left_s, 364 * 86400 + 23 * 3600 + 59 * 60 + 59);
}

TEST(SlurmOutput, KeepsAStateItDoesNotKnowByItsName) {
  const auto jobs = parse_squeue("7|TELEPORTING|5:00|N/A|1|n0|SomethingNew|n0\n");
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].state, "TELEPORTING");
  EXPECT_EQ(jobs[0].phase, JobPhase::kUnknown);
  EXPECT_EQ(jobs[0].reason, "SomethingNew");
}

TEST(SlurmOutput, LeavesOutLinesThatAreNoJobs) {
  EXPECT_THAT(parse_squeue(""), IsEmpty());
  EXPECT_THAT(
      parse_squeue("slurm_load_jobs error: Invalid job id specified\n|||||||\nx|RUNNING|1|2|3|4|5|6\n1|RUNNING\n"),
      IsEmpty());
  EXPECT_EQ(parse_squeue("squeue: warning: the cluster is busy\n8|RUNNING|5:00|N/A|1|n0|None|n0\n").size(), 1U);
}

TEST(SlurmOutput, ReadsWhatSacctPrints) {
  const auto jobs = parse_sacct(
      "11|CANCELLED by 1000|1|n0|None\n"
      "12|NODE_FAIL|2|n[0-1]|None\n"
      "12|TIMEOUT|2|n[0-1]|None\n"
      "12.batch|CANCELLED|1|n0|\n");
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].state, "CANCELLED");
  EXPECT_EQ(jobs[1].state, "TIMEOUT") << "of a requeued job the last line counts";
  EXPECT_EQ(jobs[1].phase, JobPhase::kEnded);
  EXPECT_EQ(jobs[1].nodes, "n[0-1]");
}

TEST(SlurmOutput, FindsTheJobsNumber) {
  EXPECT_EQ(parse_sbatch("1234\n"), "1234");
  EXPECT_EQ(parse_sbatch("1234;cluster\n"), "1234");
  EXPECT_EQ(parse_sbatch("Welcome to the cluster!\n\n77\n"), "77") << "submit plugins print banners";
  EXPECT_EQ(parse_sbatch(""), std::nullopt);
  EXPECT_EQ(parse_sbatch("error\n"), std::nullopt);
}

TEST(SlurmOutput, ReadsTimes) {
  EXPECT_EQ(parse_time_s("1-02:03:04"), 86400 + 2 * 3600 + 3 * 60 + 4);
  EXPECT_EQ(parse_time_s("0:59"), 59);
  EXPECT_EQ(parse_time_s("7"), 7);
  for (const char* none : {"UNLIMITED", "NOT_SET", "INVALID", "", "-", "1-", "a-1:00", "1:2:3:4", "-5:00"}) {
    EXPECT_EQ(parse_time_s(none), std::nullopt) << none;
  }
}

TEST(SlurmOutput, ReadsVersions) {
  EXPECT_EQ(parse_version("slurm-wlm 22.05.8\n"), (Version{22, 5}));
  EXPECT_LT(parse_version("slurm 21.08.8-2\n"), kOldestVersion);
  EXPECT_GT(parse_version("slurm 23.02.0"), kOldestVersion);
  for (const char* none : {"", "slurm", "slurm x.y", "main* 2.0 nodes"}) EXPECT_EQ(parse_version(none), std::nullopt);
}

TEST(SlurmOutput, KnowsWhatAJobNumberIs) {
  for (const char* id : {"1", "123_4", "123+1"}) EXPECT_TRUE(is_job_id(id)) << id;
  for (const char* no : {"", "x", "1;reboot", "1_", "_1", "--all", "1 2"}) EXPECT_FALSE(is_job_id(no)) << no;
}

TEST(SlurmJob, ExplainsReasons) {
  EXPECT_THAT(reason_text("QOSMaxJobsPerUserLimit"), ::testing::HasSubstr("as many jobs of this QOS as you may"));
  EXPECT_THAT(reason_text("QOSGrpNodeLimit"), ::testing::HasSubstr("a limit of its QOS"));
  EXPECT_THAT(reason_text("ReqNodeNotAvail, Reserved for maintenance"), ::testing::HasSubstr("maintenance"));
  EXPECT_THAT(reason_text("DependencyNeverSatisfied"), ::testing::HasSubstr("cancel it"));
  EXPECT_THAT(reason_text("SomethingNew"), ::testing::HasSubstr("scontrol show job"));
}

}  // namespace
}  // namespace ditscale::slurm
