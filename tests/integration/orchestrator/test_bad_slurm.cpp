#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <unistd.h>

#include "common/atomic_file.hpp"
#include "tests/integration/orchestrator/study_fixture.hpp"

namespace ditscale::tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAway =
    "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1";

/// The real orchestrator, and Slurm's commands as scripts that fail, are slow, or lose their answer.
class BadSlurm : public StudyFixture {
 protected:
  void SetUp() override {
    StudyFixture::SetUp();
    std::filesystem::create_directories(folder_ / "bin");
    for (const char* name : {"sbatch", "squeue", "scontrol", "sacct"}) fake(name, kAway);
  }

  /// `body` is a shell script; $count is the number of this call of `name`, from 1.
  void fake(const std::string& name, const std::string& body) {
    const auto file = folder_ / "bin" / name;
    std::ofstream(file) << "#!/bin/bash\necho >>'" << file.string() << ".calls'\ncount=$(wc -l <'" << file.string()
                        << ".calls')\n"
                        << body << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  static std::string this_host() {
    std::string host(256, '\0');
    EXPECT_EQ(::gethostname(host.data(), host.size()), 0);
    return host.substr(0, host.find('\0'));
  }

  /// `orchestrator`, with its output in a folder of its own.
  std::unique_ptr<Command> orchestrator(std::vector<std::string> arguments,
                                        std::map<std::string, std::string> environment = {}) {
    const auto here = folder_ / arguments.front();
    std::filesystem::create_directories(here);
    arguments.insert(arguments.begin(), DITSCALE_ORCHESTRATOR);
    arguments.insert(arguments.end(), {"--runs", (folder_ / "runs").string()});
    environment["PATH"] = (folder_ / "bin").string() + ":" + std::getenv("PATH");
    return std::make_unique<Command>(arguments, environment, here);
  }

  /// What the batch script of a job on this host runs; folder_/requeued is there once the job was requeued.
  std::unique_ptr<Command> job_of_one_node(const std::string& step_ms) {
    const std::string host = this_host();
    fake("squeue", "echo '7|RUNNING|10:00|N/A|1|" + host + "|None|" + host + "'");
    fake("sinfo", "echo '" + host + "|mixed'");
    fake("scontrol", "[[ $2 != hostnames ]] || { echo '" + host + "'; exit; }; [[ $1 != requeue ]] || touch '" +
                         (folder_ / "requeued").string() + "'");
    return orchestrator({"run", sweep_.string(), "--worker", DITSCALE_TRAINER, "--allocation", "--batch-script",
                         (folder_ / "job.sh").string()},
                        {{"SLURM_JOB_ID", "7"}, {"SLURMD_NODENAME", host}, {"FAKE_STEP_MS", step_ms}});
  }
};

TEST_F(BadSlurm, DelaysAStudyAndNothingMore) {
  write_sweep({0, 1});
  const std::string host = this_host();
  fake("squeue", "((count > 4)) || { " + std::string(kAway) + "; }; sleep 1; echo '7|RUNNING|10:00|N/A|1|" + host +
                     "|None|login1'");  // of an salloc: the node of its command
  fake("sinfo", "sleep 2; echo '" + host + "|mixed'");
  fake("scontrol", "[[ $2 != hostnames ]] || { echo '" + host + "'; exit; }; " + kAway);
  const auto run = orchestrator({"run", sweep_.string(), "--worker", DITSCALE_TRAINER, "--allocation"},
                                {{"SLURM_JOB_ID", "7"}, {"SLURMD_NODENAME", host}});
  const Ended ended = run->wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("Unable to contact slurm controller"), HasSubstr("job 7 on " + host)));
  EXPECT_TRUE(run->processes().empty());
  for (const auto& [label, result] : table()) EXPECT_THAT(result, HasSubstr("succeeded")) << label;
}

TEST_F(BadSlurm, ACancellationWhileItSavesBeforeTheTimeLimitIsTheLastWord) {
  write_sweep({600, 0}, 30);
  const auto run = job_of_one_node("100");
  ASSERT_TRUE(trainers_run(*run, 2));
  ASSERT_TRUE(events_contain("metric"));
  for (const int signal : {SIGUSR2, SIGUSR1}) {
    run->signal(signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  const Ended ended = run->wait();
  EXPECT_EQ(ended.code, 4) << "one takes its time to stop; the other has saved";
  EXPECT_THAT(ended.err, HasSubstr("stopped on request"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "requeued"));
}

TEST_F(BadSlurm, AFullDiskEndsTheJobAndDoesNotRequeueIt) {
  write_sweep({420, 0}, 40);
  const Ended ended = job_of_one_node("20")->wait();
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("No space left on device"), HasSubstr("run the same command again")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "requeued"));
}

TEST_F(BadSlurm, DoesNotMakeASubmissionOutOfALostAnswerTwo) {
  write_sweep({0});
  const std::string accepted = (folder_ / "accepted").string();
  fake("sbatch", "for word; do [[ $word != --comment=* ]] || echo \"${word#--comment=}\" >>'" + accepted +
                     "'; done; echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv "
                     "operation' >&2; exit 1");
  fake("squeue", "((count > 1)) || { " + std::string(kAway) + "; }; echo \"41|$(cat '" + accepted + "')\"");
  const Ended submitted = orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER})->wait();
  EXPECT_EQ(submitted.code, 0) << submitted.err;
  EXPECT_THAT(submitted.out, HasSubstr("submitted job 41"));
  EXPECT_EQ(common::read_file(study() / "slurm" / "jobs.json"), "[\"41\"]\n");

  fake("squeue", kAway);
  const Ended status = orchestrator({"status", "study"})->wait();
  EXPECT_EQ(status.code, 0) << "what is known without Slurm is shown";
  EXPECT_THAT(status.out,
              AllOf(HasSubstr("Unable to contact slurm controller"), HasSubstr("no trial has started yet")));
  const Ended cancelled = orchestrator({"cancel", "study"})->wait();
  EXPECT_EQ(cancelled.code, 1);
  EXPECT_THAT(cancelled.err, HasSubstr("try again in a while"));
}

TEST_F(BadSlurm, ShardsThatWereNotSubmittedAreSubmittedByTheSameCommand) {
  write_sweep({0, 1, 2});
  const std::vector<std::string> submit{"submit", sweep_.string(), "--worker", DITSCALE_TRAINER, "--shards", "3"};
  const std::string tested = "[[ $* != *--test-only* ]] || exit 0; ";
  fake("squeue", "echo '51|PENDING|10:00|N/A|1||Resources|'");
  fake("sbatch", tested + "((count > 2)) || { echo 51; exit; }; echo 'sbatch: error: Invalid qos' >&2; exit 1");
  const Ended first = orchestrator(submit)->wait();
  EXPECT_EQ(first.code, 1);
  EXPECT_THAT(first.out, HasSubstr("submitted job 51 for study.shard-1-of-3"));
  EXPECT_THAT(first.err, AllOf(HasSubstr("Invalid qos"),
                               HasSubstr("1 of 3 shards were submitted before; the same command again")));

  fake("sbatch", tested + "echo $((60 + count))");
  const Ended second = orchestrator(submit)->wait();
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, AllOf(HasSubstr("study.shard-1-of-3: job 51 is PENDING"), HasSubstr("left as it is")));
  EXPECT_THAT(second.out, AllOf(HasSubstr("for study.shard-2-of-3"), HasSubstr("for study.shard-3-of-3"),
                                Not(HasSubstr("for study.shard-1-of-3"))));
}

TEST_F(BadSlurm, AnMpirunThatStartsNothingEndsOnRequest) {
  write_sweep({0});
  fake("mpirun", "exec sleep 1000");
  const auto run = orchestrator({"run", sweep_.string(), "--worker", DITSCALE_TRAINER, "--mpi"});
  std::this_thread::sleep_for(std::chrono::seconds(1));
  run->signal(SIGTERM);
  EXPECT_EQ(run->wait().code, 4) << "it waits for nodes for ever; no coordinator is there to hear of the wish";
  EXPECT_TRUE(run->processes().empty());
}

TEST_F(BadSlurm, ASuspendedJobCannotBeAskedToSave) {
  write_sweep({0});
  fake("sbatch", "[[ $* == *--test-only* ]] || echo 57");
  fake("squeue", "echo '57|SUSPENDED|10:00|N/A|1|n1|None|n1'");
  ASSERT_EQ(orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER})->wait().code, 0);
  const Ended cancelled = orchestrator({"cancel", "study"})->wait();
  EXPECT_EQ(cancelled.code, 1);
  EXPECT_THAT(cancelled.err, HasSubstr("`scontrol resume 57` first"));
}

TEST_F(BadSlurm, TheDoctorKnowsOneThatIsTooOld) {
  fake("sinfo", "[[ $1 != --version ]] || echo 'slurm 21.08.8'");
  const Ended examined = orchestrator({"doctor"})->wait();
  EXPECT_EQ(examined.code, 1);
  EXPECT_THAT(examined.out, AllOf(HasSubstr("version 21.08 is too old"), HasSubstr("Slurm 22.05 or newer")));
}

TEST_F(BadSlurm, LeavesTimeToTrainBeforeItSaves) {
  write_sweep({0});
  const Ended submitted =
      orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER, "--time", "00:02:00"})->wait();
  EXPECT_EQ(submitted.code, 2);
  EXPECT_THAT(submitted.err, HasSubstr("a smaller --save-before"));
}

TEST_F(BadSlurm, AStudyIsNotFinishedWhileNoRunHasReadWhatWasSubmitted) {
  write_sweep({0});
  fake("sbatch", "[[ $* == *--test-only* ]] || echo 59");
  fake("squeue", "exit 0");
  fake("sacct", "exit 0");
  const std::vector<std::string> submit{"submit", sweep_.string(), "--worker", DITSCALE_TRAINER};
  ASSERT_EQ(orchestrator(submit)->wait().code, 0);
  common::write_file_atomically(study() / "slurm" / "job-59.log", "");
  ASSERT_EQ(run().code, 0);
  EXPECT_EQ(orchestrator({"resume", "study"})->wait().code, 5);
  write_sweep({0, 1});
  ASSERT_EQ(orchestrator(submit)->wait().code, 0);
  EXPECT_THAT(orchestrator({"explain", "study"})->wait().out, HasSubstr("`orchestrator resume` submits it again"));
  EXPECT_EQ(orchestrator({"resume", "study"})->wait().code, 0);
}

TEST_F(BadSlurm, AStudyThatWasMovedDoesNotGoOnInItsOldPlace) {
  write_sweep({0});
  fake("sbatch", "[[ $* == *--test-only* ]] || echo 58");
  fake("squeue", "exit 0");
  fake("sacct", "exit 0");
  ASSERT_EQ(orchestrator({"submit", sweep_.string(), "--worker", DITSCALE_TRAINER})->wait().code, 0);
  EXPECT_EQ(orchestrator({"resume", "study"})->wait().code, 0);
  std::filesystem::rename(study(), folder_ / "runs" / "it's moved");
  const Ended resumed = orchestrator({"resume", "it's moved"})->wait();
  EXPECT_EQ(resumed.code, 1);
  EXPECT_THAT(resumed.err, HasSubstr("was moved or copied here"));
}

}  // namespace
}  // namespace ditscale::tests
