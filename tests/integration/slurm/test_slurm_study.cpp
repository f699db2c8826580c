#include <csignal>
#include <map>
#include <set>

#include "common/atomic_file.hpp"
#include "tests/integration/slurm/slurm_fixture.hpp"

namespace ditscale::tests {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class SlurmStudy : public SlurmFixture {
 protected:
  std::map<std::string, std::string> undisturbed_table() {
    EXPECT_EQ(run({"--runs", "undisturbed"}).code, 3);
    std::filesystem::rename(folder_ / "runs", folder_ / "disturbed");
    std::filesystem::rename(folder_ / "undisturbed", folder_ / "runs");
    auto result = table();
    std::filesystem::rename(folder_ / "runs", folder_ / "undisturbed");
    std::filesystem::rename(folder_ / "disturbed", folder_ / "runs");
    return result;
  }
};

TEST_F(SlurmStudy, IsPreemptedCutShortRequeuedAndEndsWithTheSameTable) {
  constexpr const char* kStarted = "running (attempt";
  constexpr const char* kCutShort = "starting again on the nodes that are left";
  constexpr const char* kBack = "is back in the queue";
  write_sweep({0, 1, 2, 3, 4, 5, 200, 101}, 200);
  const std::string job = submit(120, {"--nodes", "2", "--cpus-per-node", "1", "--time", "120", "--save-before", "20"});
  ASSERT_TRUE(log_says(job, kStarted, 2)) << log_of(job);
  ASSERT_TRUE(events_contain("checkpoint"));
  EXPECT_THAT(log_of(job), ContainsRegex("on n0, n1, (10[0-5]|[6-9][0-9]) s left")) << "105 of the 120 seconds at most";

  preempt();
  ASSERT_TRUE(log_says(job, "is being preempted")) << log_of(job);
  ASSERT_TRUE(log_says(job, kBack)) << log_of(job);
  EXPECT_TRUE(events_contain("preempted"));
  int num_started = num_in_log(job, kStarted);
  ASSERT_TRUE(log_says(job, kStarted, num_started + 2, 60)) << log_of(job);

  ASSERT_GT(coordinator(), 0);
  int num_cut_short = num_in_log(job, kCutShort);
  num_started = num_in_log(job, kStarted);
  ::kill(coordinator(), SIGKILL);
  ASSERT_TRUE(log_says(job, kCutShort, num_cut_short + 1)) << log_of(job);
  ASSERT_TRUE(log_says(job, kStarted, num_started + 2)) << log_of(job);

  num_cut_short = num_in_log(job, kCutShort);
  ASSERT_EQ(cluster({"kill-node", "n1"}).code, 0);
  ASSERT_TRUE(log_says(job, kCutShort, num_cut_short + 1, 80)) << log_of(job);
  EXPECT_TRUE(log_says(job, "on n0, ", num_in_log(job, "on n0, ") + 1)) << log_of(job);
  EXPECT_THAT(log_of(job), ContainsRegex("on n0, [0-9]+ s left")) << "without the lost node";
  ASSERT_EQ(cluster({"start-node", "n1"}).code, 0);

  ASSERT_TRUE(log_says(job, kBack, 2, 120)) << log_of(job);
  ASSERT_TRUE(becomes(job, "FAILED", 120)) << "one trial diverges, so the exit code is 3\n" << log_of(job);
  EXPECT_THAT(log_of(job), HasSubstr("did not succeed"));
  EXPECT_EQ(table(), undisturbed_table());
  expect_each_succeeded_once(7);
}

TEST_F(SlurmStudy, GoesOnWhenPreemptedInAPartitionThatCancels) {
  write_sweep({0, 1}, 100);
  const std::string job = submit(100, {"--time", "300", "--", "--partition=fragile"});
  ASSERT_TRUE(events_contain("checkpoint"));
  preempt();
  ASSERT_TRUE(log_says(job, "job " + job + " is being preempted")) << log_of(job);
  ASSERT_TRUE(log_says(job, "is back in the queue")) << log_of(job);
  EXPECT_TRUE(events_contain("preempted"));
  ASSERT_TRUE(becomes(job, "COMPLETED", 100)) << log_of(job);
  expect_each_succeeded_once(2);
}

TEST_F(SlurmStudy, IsCancelledGentlyAndResumed) {
  write_sweep({0, 1}, 60);
  const std::string job = submit(100, {"--time", "300"});
  ASSERT_TRUE(events_contain("checkpoint"));
  const auto second = orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, AllOf(HasSubstr("job " + job + " is RUNNING on n0"), HasSubstr("One job at a time")));
  EXPECT_THAT(orchestrator({"status", "study"}).out, HasSubstr("job " + job + " is RUNNING"));
  const auto cancelled = orchestrator({"cancel", "study"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_NE(orchestrator({"cancel", "study"}).code, 1) << "once more is not less gentle";
  ASSERT_TRUE(becomes(job, "FAILED")) << "not complete: exit code 4";
  EXPECT_TRUE(events_contain("preempted"));
  EXPECT_THAT(orchestrator({"explain", "study"}).out, AllOf(HasSubstr("goes on from its newest checkpoint"),
                                                            HasSubstr("`orchestrator resume` submits it again")));
  EXPECT_THAT(orchestrator({"logs", "study"}).out, HasSubstr("stopped on request"));

  ::setenv("FAKE_STEP_MS", "0", 1);
  const auto resumed = orchestrator({"resume", "study"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ASSERT_NE(last_job(), job);
  ASSERT_TRUE(becomes(last_job(), "COMPLETED")) << resumed.out;
  EXPECT_EQ(orchestrator({"resume", "study"}).code, 5) << "every trial has ended";
  for (const auto& [label, result] : table()) EXPECT_THAT(result, HasSubstr("succeeded")) << label;
}

TEST_F(SlurmStudy, RunsAsItWasAskedForWhateverTheEnvironmentSays) {
  write_sweep({0, 1});
  const std::map<std::string, std::string> elsewhere{
      {"SBATCH_TIMELIMIT", "1"}, {"SBATCH_EXPORT", "NONE"}, {"SLURM_CPUS_PER_TASK", "2"}};
  for (const auto& [name, value] : elsewhere) ::setenv(name.c_str(), value.c_str(), 1);
  const std::string job = submit(0, {"--nodes", "2", "--cpus-per-node", "1", "--time", "300"});
  for (const auto& [name, value] : elsewhere) ::unsetenv(name.c_str());
  ASSERT_TRUE(becomes(job, "COMPLETED", 60)) << log_of(job);
  EXPECT_THAT(log_of(job),
              AllOf(ContainsRegex("on n0, n1, 2[0-9]{2} s left"), ::testing::Not(HasSubstr("the run was cut short"))));
  expect_each_succeeded_once(2);
}

TEST_F(SlurmStudy, SaysWhyItWaits) {
  write_sweep({0});
  const std::string job = submit(0, {"--nodes", "2", "--", "--hold"});
  const auto explained = orchestrator({"explain", "study"});
  EXPECT_THAT(explained.out, AllOf(HasSubstr("JobHeldUser"), HasSubstr("scontrol release"),
                                   HasSubstr("when Slurm has started the job, the study goes on by itself")));
  for (const char* command : {"retry", "logs"}) {
    const auto early = orchestrator({command, "study", "--trial", "a"});
    EXPECT_EQ(early.code, 2);
    EXPECT_THAT(early.err, HasSubstr("no trial has started yet"));
  }
  const auto status = orchestrator({"status", "study", "--json"});
  EXPECT_EQ(common::Json::parse(status.out)["jobs"][0]["reason"], "JobHeldUser");
  EXPECT_EQ(orchestrator({"cancel", "study"}).code, 0);
  EXPECT_TRUE(becomes(job, "CANCELLED"));
  EXPECT_EQ(orchestrator({"cancel", "study"}).code, 5);
}

TEST_F(SlurmStudy, RunsInShardsThatHaveEachCellOnce) {
  write_sweep({0, 1, 2, 3, 4});
  const std::string first = submit(0, {"--cpus-per-node", "1", "--shards", "2"});
  ASSERT_TRUE(becomes(first, "COMPLETED"));
  const std::string second = common::read_file(folder_ / "runs" / "study.shard-2-of-2" / "slurm" / "jobs.json");
  ASSERT_TRUE(becomes(common::Json::parse(second).back(), "COMPLETED"));
  std::multiset<std::string> labels;
  for (const char* shard : {"study.shard-1-of-2", "study.shard-2-of-2"}) {
    const auto report = common::Json::parse(orchestrator({"status", shard, "--json"}).out);
    for (const auto& trial : report["trials"]) {
      labels.insert(trial["label"]);
      EXPECT_EQ(trial["state"], "succeeded");
    }
  }
  EXPECT_EQ(labels, (std::multiset<std::string>{"seed=0", "seed=1", "seed=2", "seed=3", "seed=4"}));
}

TEST_F(SlurmStudy, SpreadsAGangOverBothNodes) {
  write_sweep({0, 1}, 20, {{"processes", 2}});
  const std::string job = submit(50, {"--nodes", "2", "--cpus-per-node", "1", "--time", "300"});
  ASSERT_TRUE(becomes(job, "COMPLETED", 90)) << log_of(job);
  for (const auto& trial : std::filesystem::directory_iterator(study() / "trials")) {
    const std::string log = common::read_file(trial.path() / "attempts" / "1" / "log.txt");
    EXPECT_THAT(
        log, AllOf(ContainsRegex("rank 0 of 2 on cpus [01] of n[01]\n"),
                   ContainsRegex("rank 1 of 2 on cpus [01] of n[01]\n"), HasSubstr("of n0\n"), HasSubstr("of n1\n")));
  }
}

TEST_F(SlurmStudy, IsRefusedBeforeSlurmHearsOfItWhenTheSweepIsBroken) {
  write_sweep({0});
  const auto broken =
      orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER, "--set", "base.train.stepz=1"});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.err, HasSubstr("stepz"));
  const auto refused =
      orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER, "--", "--partition=nothere"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("Invalid partition name"), HasSubstr("Nothing was submitted")));
  EXPECT_FALSE(std::filesystem::exists(study() / "slurm" / "jobs.json"));
}

TEST_F(SlurmStudy, WarnsOfAJobThatNoNodeCanTake) {
  write_sweep({0});
  const auto submitted = orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER, "--nodes", "5"});
  EXPECT_EQ(submitted.code, 0) << "Slurm takes it";
  EXPECT_THAT(submitted.err, AllOf(HasSubstr("cannot start on the nodes as they are now (Requested node configuration"),
                                   HasSubstr("orchestrator cancel study")));
  EXPECT_EQ(orchestrator({"cancel", "study"}).code, 0);
}

TEST_F(SlurmStudy, IsNotAskedForAgainWhenNothingCanStart) {
  write_sweep({0}, 2000000000);
  const std::string job =
      submit(0, {"--set", "base.checkpoint.every_steps=2000000000", "--time", "60", "--save-before", "10"});
  ASSERT_TRUE(becomes(job, "FAILED", 60)) << log_of(job);
  EXPECT_THAT(log_of(job), HasSubstr("no trial could start in this allocation"));
}

}  // namespace
}  // namespace ditscale::tests
