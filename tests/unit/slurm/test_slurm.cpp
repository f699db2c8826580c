#include <map>

#include <gmock/gmock.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "tests/unit/slurm/fake_commands.hpp"

namespace ditscale::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SlurmCommands : public FakeCommands {
 protected:
  /// A batch script, by its full path.
  [[nodiscard]] std::filesystem::path script(const std::string& text = "#!/bin/bash\n") const {
    common::write_file_atomically(folder_.path() / "job.sh", text);
    return folder_.path() / "job.sh";
  }

  std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const common::SystemError& error) {
      return error.what();
    }
    return "no error";
  }
};

TEST_F(SlurmCommands, SubmitsAScript) {
  fake("sbatch", "echo 1234");
  EXPECT_EQ(slurm().submit(script("#!/bin/bash\n#SBATCH --nodes=2 --time=5\n"), "ditscale:1"), "1234");
  EXPECT_EQ(calls(), "sbatch --nodes=2 --time=5 --parsable --comment=ditscale:1 " + script().string() + "\n")
      << "the script's options too: those of the command line count more than variables";
}

TEST_F(SlurmCommands, WaitsWhileASubmitLimitIsReached) {
  fake("sbatch",
       "((count > 3)) && { echo 5; exit; }\n"
       "echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2\n"
       "echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, "
       "user'\"'\"'s size and/or time limits)' >&2; exit 1");
  EXPECT_EQ(slurm().submit(script(), "c"), "5");
  EXPECT_EQ(waited_s_, 30 + 60 + 120);
  EXPECT_THAT(notices_, HasSubstr("trying again in 60 s"));
}

TEST_F(SlurmCommands, GivesUpWhenALimitOfTheQosWillNeverAllowTheJob) {
  fake("sbatch",
       "echo 'sbatch: error: QOSMaxWallDurationPerJobLimit' >&2\n"
       "echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, "
       "user'\"'\"'s size and/or time limits)' >&2; exit 1");
  EXPECT_THAT(refusal([&] { (void)slurm().submit(script(), "c"); }), HasSubstr("QOSMaxWallDurationPerJobLimit"));
  EXPECT_EQ(waited_s_, 0);
}

TEST_F(SlurmCommands, HidesTheJobItIsCalledInFromTheNewOne) {
  const std::map<std::string, std::string> here{
      {"SLURM_JOB_ID", "7"},   {"SLURM_MEM_PER_CPU", "1"},    {"PMI_RANK", "0"},
      {"PMIX_RANK", "0"},      {"OMPI_COMM_WORLD_SIZE", "2"}, {"SLURM_CONF", "/x/slurm.conf"},
      {"OMPI_MCA_btl", "tcp"}, {"SBATCH_ACCOUNT", "me"}};
  for (const auto& [name, value] : here) ::setenv(name.c_str(), value.c_str(), 1);
  fake("sbatch", "env >seen; echo 1");
  (void)slurm().submit(script(), "c");
  for (const auto& [name, value] : here) ::unsetenv(name.c_str());
  const std::string seen = common::read_file(folder_.path() / "seen");
  EXPECT_THAT(seen, ::testing::AllOf(HasSubstr("\nSLURM_CONF=/x/slurm.conf\n"), HasSubstr("\nOMPI_MCA_btl=tcp\n"),
                                     HasSubstr("\nSBATCH_ACCOUNT=me\n")));
  for (const char* name : {"SLURM_JOB_ID", "SLURM_MEM", "PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD"}) {
    EXPECT_THAT(seen, ::testing::Not(HasSubstr(name)));
  }
}

TEST_F(SlurmCommands, GivesUpAtOnceWhenTheSameOrderWouldFailAgain) {
  fake("sbatch",
       "echo 'sbatch: error: invalid partition specified: nothere' >&2\n"
       "echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1");
  EXPECT_THAT(refusal([&] { (void)slurm().submit(script(), "c"); }),
              ::testing::AllOf(HasSubstr("Invalid partition name specified"), HasSubstr("Nothing was submitted")));
  EXPECT_EQ(waited_s_, 0);
}

TEST_F(SlurmCommands, DoesNotSubmitTwiceWhenTheAnswerWasLost) {
  fake("sbatch",
       "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1");
  fake("squeue", "echo '41|other'; echo '42|ditscale:abc'");
  EXPECT_EQ(slurm().submit(script(), "ditscale:abc"), "42");
  EXPECT_EQ(calls().find("sbatch"), calls().rfind("sbatch"));
}

TEST_F(SlurmCommands, SubmitsAgainWhenALostAnswerMeantNothing) {
  fake("sbatch", "((count > 1)) && { echo 43; exit; }; sleep 30");
  fake("squeue", "echo '41|other'");
  Policy policy;
  policy.command_limit_s = 0.3;
  EXPECT_EQ(slurm(policy).submit(script(), "ditscale:abc"), "43");
}

TEST_F(SlurmCommands, KnowsWhatAJobWouldWaitFor) {
  fake("sbatch", "echo 'allocation failure: Requested node configuration is not available' >&2; exit 1");
  EXPECT_EQ(slurm().obstacle_to(script()), "Requested node configuration is not available");
  EXPECT_EQ(calls(), "sbatch --test-only " + script().string() + "\n") << "nothing is submitted";
  fake("sbatch", "echo 'sbatch: Job 1 to start at 2026-11-28T14:33:10 using 1 processors on nodes n0' >&2");
  EXPECT_FALSE(slurm().obstacle_to(script()));
  for (const char* passing : {"Unable to contact slurm controller (connect failure)",
                              "Job violates accounting/QOS policy (job submit limit, user size and/or time limits)"}) {
    fake("sbatch", "echo 'allocation failure: " + std::string(passing) + "' >&2; exit 1");
    EXPECT_FALSE(slurm().obstacle_to(script())) << passing;
  }
}

TEST_F(SlurmCommands, DoesWithoutSacct) {
  fake("squeue", "exit 0");
  ::setenv("PATH", folder_.path().c_str(), 1);
  std::filesystem::create_symlink("/bin/bash", folder_.path() / "bash");
  std::filesystem::create_symlink("/bin/grep", folder_.path() / "grep");
  EXPECT_TRUE(slurm().query({"1"}).empty());
}

TEST_F(SlurmCommands, AsksForAllJobsAtOnce) {
  fake("squeue", "echo '1|RUNNING|5:00|N/A|1|n0|None|n0'; echo '2|PENDING|5:00|N/A|1||Priority|n/a'");
  EXPECT_EQ(slurm().query({"1", "2"}).size(), 2U);
  EXPECT_EQ(calls(), "squeue --noheader --states=all --format=%i|%T|%L|%S|%D|%N|%r|%B --jobs=1,2\n");
}

TEST_F(SlurmCommands, DoesWithoutAccounting) {
  fake("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  fake("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");
  EXPECT_TRUE(slurm().query({"1"}).empty());
}

TEST_F(SlurmCommands, AsksAccountingForForgottenJobs) {
  fake("squeue", "echo '1|RUNNING|5:00|N/A|1|n0|None|n0'");
  fake("sacct", "echo '2|TIMEOUT|1|n0|None'");
  const auto jobs = slurm().query({"1", "2"});
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[1].state, "TIMEOUT");
  EXPECT_THAT(calls(),
              HasSubstr("sacct --noheader --parsable2 --allocations --format=JobID,State,NNodes,NodeList,Reason "
                        "--jobs=2\n"));
}

TEST_F(SlurmCommands, AsksAgainWithLongerWaitsWhileTheControllerIsAway) {
  fake("squeue",
       "((count > 2)) && { echo '1|RUNNING|5:00|N/A|1|n0|None|n0'; exit; }\n"
       "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1");
  EXPECT_EQ(slurm().query({"1"}).size(), 1U);
  EXPECT_EQ(waited_s_, 2 + 4);
}

TEST_F(SlurmCommands, SaysWhenTheControllerStaysAway) {
  fake("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1");
  EXPECT_THAT(refusal([&] { (void)slurm().query({"1"}); }),
              ::testing::AllOf(HasSubstr("Unable to contact"), HasSubstr("try again in a while")));
}

TEST_F(SlurmCommands, CancelsGentlyWhatRunsAndAtOnceWhatWaits) {
  fake("scancel", "");
  Job running;
  running.id = "1";
  running.phase = JobPhase::kActive;
  Job queued;
  queued.id = "2";
  queued.phase = JobPhase::kQueued;
  Job starting;
  starting.id = "3";
  starting.state = "CONFIGURING";
  starting.phase = phase_of(starting.state);
  slurm().cancel(running, false);
  slurm().cancel(queued, false);
  slurm().cancel(starting, false);
  slurm().cancel(running, true);
  EXPECT_EQ(calls(), "scancel --batch --signal=USR1 1\nscancel 2\nscancel 3\nscancel 1\n");
}

TEST_F(SlurmCommands, SaysWhetherARequeueIsAllowed) {
  fake("squeue", "echo '7|RUNNING|5:00|N/A|1|n0|None|n0'");
  fake("scontrol", "exit 0");
  EXPECT_TRUE(slurm().requeue("7"));
  fake("scontrol", "echo 'Requested operation is presently disabled for job 7' >&2; exit 1");
  EXPECT_FALSE(slurm().requeue("7"));
  EXPECT_THAT(notices_, HasSubstr("presently disabled"));
}

TEST_F(SlurmCommands, TakesARequeueForDoneWhoseAnswerWasLost) {
  fake("squeue", "echo '7|PENDING|5:00|N/A|1||BeginTime|n/a'");
  fake("scontrol", "kill -TERM $$; sleep 5");
  EXPECT_TRUE(slurm().requeue("7")) << "Slurm ends the job's processes, this one too";
  fake("scontrol", "echo 'slurm_requeue error: Socket timed out on send/recv operation' >&2; exit 1");
  EXPECT_TRUE(slurm().requeue("7"));
}

TEST_F(SlurmCommands, LeavesOutNodesThatDoNotAnswer) {
  fake("sinfo", "printf 'n0|mixed\\nn0|mixed\\nn1|mixed*\\nn2|down*\\nn3|allocated\\nn4|draining\\nn5|drained\\n'");
  Job job;
  job.nodes = "n[0-5]";
  EXPECT_THAT(slurm().nodes_left(job), ElementsAre("n0", "n3", "n4"));
}

TEST_F(SlurmCommands, KnowsAJobInTheGraceTimeOfAPreemption) {
  fake("scontrol", "echo 'JobId=7 JobState=RUNNING Reason=None PreemptTime=2026-11-28T10:00:08 SuspendTime=None'");
  EXPECT_TRUE(slurm().is_being_preempted("7"));
  EXPECT_EQ(calls(), "scontrol show job --oneliner 7\n");
  fake("scontrol", "echo 'JobId=7 JobState=COMPLETING Reason=None PreemptTime=2026-11-28T10:00:08 SuspendTime=None'");
  EXPECT_FALSE(slurm().is_being_preempted("7")) << "its script has been told too";
  fake("scontrol", "echo 'JobId=7 JobState=RUNNING PreemptEligibleTime=2026-11-28T10:00:05 PreemptTime=None'");
  EXPECT_FALSE(slurm().is_being_preempted("7"));
  fake("scontrol", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  EXPECT_FALSE(slurm().is_being_preempted("7"));
}

TEST_F(SlurmCommands, KnowsAJobThatHasLostTheNodeOfItsScript) {
  fake("scontrol", "[[ $* == 'show hostnames n[1-3]' ]] && printf 'n1\\nn2\\nn3\\n'");
  Job job;
  job.state = "RUNNING";
  job.nodes = "n[1-3]";
  job.batch_host = "n0";
  EXPECT_TRUE(slurm().has_lost_its_script(job));
  job.batch_host = "n1";
  EXPECT_FALSE(slurm().has_lost_its_script(job));
  job.batch_host = "n0";
  job.state = "COMPLETING";
  EXPECT_FALSE(slurm().has_lost_its_script(job));
  fake("scontrol", "exit 1");
  job.state = "RUNNING";
  EXPECT_FALSE(slurm().has_lost_its_script(job)) << "not known";
}

TEST_F(SlurmCommands, SaysWhatToDoWithoutSlurm) {
  ::setenv("PATH", folder_.path().c_str(), 1);
  EXPECT_THAT(refusal([&] { (void)slurm().query({"1"}); }),
              ::testing::AllOf(HasSubstr("start squeue"), HasSubstr("login node")));
}

}  // namespace
}  // namespace ditscale::slurm
