#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "common/atomic_file.hpp"
#include "tests/integration/orchestrator/study_fixture.hpp"

namespace ditscale::tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Trials of two processes, on the two processors that the tests may use.
class Gangs : public StudyFixture {
 protected:
  void write_gangs(const std::vector<int>& seeds, int steps = 20) { write_sweep(seeds, steps, {{"processes", 2}}); }

  std::string log_of(int attempt) {
    for (const auto& trial : std::filesystem::directory_iterator(study() / "trials"))
      return common::read_file(trial.path() / "attempts" / std::to_string(attempt) / "log.txt");
    return "";
  }
};

TEST_F(Gangs, RunOneAfterTheOtherOnAllDevicesTheyAskFor) {
  write_gangs({0, 1, 200});
  const Ended ended = run({"--cpus", "2"});
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("loss is nan"));
  EXPECT_THAT(log_of(1), AllOf(HasSubstr("rank 0 of 2 on cpus 0,1"), HasSubstr("rank 1 of 2 on cpus 0,1")));
}

TEST_F(Gangs, AreRefusedWhereTheyCanNeverFit) {
  write_gangs({0});
  const Ended ended = run({"--cpus", "1"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("asks for 2 processes of 1 cpu, more than is here (1 node with 1 cpu)"));
  EXPECT_FALSE(std::filesystem::exists(study()));
}

/// Slurm's commands as scripts that know one job, on this host.
class GangsInAnAllocation : public Gangs {
 protected:
  void SetUp() override {
    Gangs::SetUp();
    std::filesystem::create_directories(folder_ / "bin");
    fake("squeue", "echo '7|RUNNING|10:00|N/A|1|" + host_ + "|None|" + host_ + "'");
    fake("sinfo", "echo '" + host_ + "|mixed'");
    fake("scontrol",
         "[[ $2 != hostnames ]] || echo '" + host_ + "'; [[ $1 != requeue ]] || touch '" + requeued().string() + "'");
  }

  void fake(const std::string& name, const std::string& body) const {
    std::ofstream(folder_ / "bin" / name) << "#!/bin/bash\n" << body << "\n";
    std::filesystem::permissions(folder_ / "bin" / name, std::filesystem::perms::owner_all);
  }

  [[nodiscard]] std::filesystem::path requeued() const { return folder_ / "requeued"; }

  static std::string this_host() {
    const std::string host = common::read_file("/proc/sys/kernel/hostname");
    return host.substr(0, host.find('\n'));
  }

  Ended run_job() {
    const std::vector<std::string> arguments{DITSCALE_ORCHESTRATOR,
                                             "run",
                                             sweep_.string(),
                                             "--worker",
                                             DITSCALE_TRAINER,
                                             "--allocation",
                                             "--batch-script",
                                             (folder_ / "job.sh").string(),
                                             "--cpus",
                                             "1"};
    return Command(arguments,
                   {{"SLURM_JOB_ID", "7"},
                    {"SLURMD_NODENAME", host_},
                    {"PATH", (folder_ / "bin").string() + ":" + std::getenv("PATH")}},
                   folder_)
        .wait();
  }

  std::string host_ = this_host();
};

TEST_F(GangsInAnAllocation, WaitForTheNextOneWhenItsNodesAreTooFewAndTheOthersRun) {
  write_sweep({0, 1});
  common::Json sweep = common::Json::parse(common::read_file(sweep_));
  sweep["include"] = {{{"seed", 2}, {"resources.processes", 2}}};
  common::write_file_atomically(sweep_, sweep.dump());
  const Ended first = run_job();
  EXPECT_EQ(first.code, 4) << first.out << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("asks for 2 processes of 1 cpu, more than is here"),
                               HasSubstr("the nodes that are left cannot take the remaining trials")));
  EXPECT_TRUE(std::filesystem::remove(requeued()));
  EXPECT_EQ(status()["states"]["succeeded"], 2);

  const Ended second = run_job();
  EXPECT_EQ(second.code, 1) << second.out << second.err;
  EXPECT_THAT(second.out, HasSubstr("asks for 2 processes of 1 cpu, more than is here"));
  EXPECT_THAT(second.err, HasSubstr("no trial could start in this allocation"));
  EXPECT_FALSE(std::filesystem::exists(requeued())) << "it is not asked for again and again";
}

TEST_F(Gangs, RunWithFewerProcessesWhereTheyMay) {
  write_sweep({0}, 20, {{"processes", 4}, {"min_processes", 1}});
  const Ended ended = run({"--cpus", "2"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(log_of(1), HasSubstr("rank 1 of 2 on cpus 0,1"));
}

TEST_F(Gangs, GoOnFromTheCheckpointWhenAMemberWasKilled) {
  write_gangs({0}, 40);
  const auto command = start({"--cpus", "2"}, 100);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("checkpoint"));
  const std::vector<pid_t> gang = command->trainers();
  const auto killed = std::chrono::steady_clock::now();
  ::kill(gang.back(), SIGKILL);
  while (::kill(gang.front(), 0) == 0 && std::chrono::steady_clock::now() - killed < std::chrono::seconds(20)) {
  }
  EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::seconds(5)) << "the others are stopped at once";
  const Ended ended = command->wait();
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("attempt 1 failed"));
  EXPECT_TRUE(command->nothing_left_within(5));
  const auto disturbed = table();
  ASSERT_EQ(run({"--cpus", "2", "--runs", "undisturbed"}).code, 0);
  std::filesystem::remove_all(folder_ / "runs");
  std::filesystem::rename(folder_ / "undisturbed", folder_ / "runs");
  EXPECT_EQ(disturbed, table());
}

TEST_F(Gangs, SaveAndStopOnRequest) {
  write_gangs({0}, 60);
  const auto command = start({"--cpus", "2"}, 100);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("metric"));
  command->signal(SIGINT);
  const Ended ended = command->wait();
  EXPECT_EQ(ended.code, 4) << ended.out << ended.err;
  EXPECT_TRUE(events_contain("\"preempted\""));
  EXPECT_TRUE(command->nothing_left_within(5));
  EXPECT_EQ(run({"--cpus", "2"}).code, 0);
}

TEST_F(Gangs, LeaveNothingBehindWhenTheirAgentIsKilled) {
  write_gangs({0}, 60);
  const auto temporary = folder_ / "tmp";
  std::filesystem::create_directory(temporary);
  ::setenv("TMPDIR", temporary.c_str(), 1);
  const auto command = start({"--cpus", "2"}, 100);
  ::unsetenv("TMPDIR");
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("metric"));
  ::kill(command->run_process(), SIGKILL);
  EXPECT_NE(command->wait().code, 0);
  EXPECT_TRUE(command->nothing_left_within(10)) << "processes were left behind";
  for (const auto& entry : std::filesystem::directory_iterator(temporary))
    EXPECT_THAT(entry.path().filename().string(), Not(StartsWith("ditscale-"))) << "a pipe was left behind";
  EXPECT_EQ(run({"--cpus", "2"}).code, 0);
}

TEST_F(Gangs, WithoutAFolderForTheirPipesFailWithoutHarmToOthers) {
  write_gangs({0, 1}, 20);
  const auto temporary = folder_ / "tmp";
  std::filesystem::create_directory(temporary);
  ::setenv("TMPDIR", temporary.c_str(), 1);
  const auto command = start({"--cpus", "2", "--retries", "0"}, 50);
  ::unsetenv("TMPDIR");
  ASSERT_TRUE(events_contain("metric"));
  std::filesystem::remove_all(temporary);
  const Ended ended = command->wait();
  EXPECT_EQ(ended.code, 3) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("(TMPDIR)"));
}

}  // namespace
}  // namespace ditscale::tests
