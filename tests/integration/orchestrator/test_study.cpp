#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/atomic_file.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "tests/integration/orchestrator/study_fixture.hpp"

namespace ditscale::tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Study : public StudyFixture {};

TEST_F(Study, RunsToItsEndAndHasNothingToDoTheSecondTime) {
  write_sweep({0, 1, 2});
  const Ended first = run();
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("seed=2"), HasSubstr("succeeded"), HasSubstr("results.db")));
  EXPECT_EQ(first.err, "") << "no noise of MPI";
  const auto table_before = table();
  EXPECT_EQ(table_before.size(), 3U);
  const Ended second = run();
  EXPECT_EQ(second.code, 5);
  EXPECT_THAT(second.out, HasSubstr("seed=2"));
  EXPECT_EQ(table(), table_before);
}

TEST_F(Study, AddsCellsWithoutRunningOthersAgain) {
  write_sweep({0, 1});
  ASSERT_EQ(run().code, 0);
  write_sweep({1, 2});
  const Ended second = run();
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.out, HasSubstr("1 more in the database are not part of this sweep file"));
  const common::Json report = status();
  EXPECT_EQ(report["trials"].size(), 3U);
  EXPECT_EQ(report["states"]["succeeded"], 2);
  EXPECT_EQ(report["not_in_sweep"], 1);
  for (const auto& trial : report["trials"]) {
    EXPECT_EQ(trial["attempts"], 1);
    EXPECT_EQ(trial["state"], "succeeded");
  }
}

TEST_F(Study, HasNothingToDoOnAMachineTooSmallForWhatHasEnded) {
  write_sweep({0}, 20, {{"cpus", 2}});
  ASSERT_EQ(run({"--cpus", "2"}).code, 0);
  const Ended again = run({"--cpus", "1"});
  EXPECT_EQ(again.code, 5) << again.err;
  const Ended dry = run({"--cpus", "1", "--dry-run"});
  EXPECT_EQ(dry.code, 0) << dry.out;
  EXPECT_THAT(dry.out, HasSubstr("1 of 1 trials have ended already"));
  write_sweep({0, 1}, 20, {{"cpus", 2}});
  EXPECT_THAT(run({"--cpus", "1"}).err, HasSubstr("(seed=1) asks for 2 cpus"));
}

TEST_F(Study, DoesNotCountWhatHasLeftTheSweepOrWasLeftBehindByItsRun) {
  write_sweep({0, 1});
  const auto killed = start({"--cpus", "1"}, 200);
  ASSERT_TRUE(trainers_run(*killed, 1));
  ASSERT_TRUE(events_contain("metric"));
  killed->kill_everything();
  (void)killed->wait();
  EXPECT_EQ(status()["states"], (common::Json{{"lost", 1}, {"pending", 1}}));
  EXPECT_THAT(call({"status", "study"}).out, HasSubstr("its run ended under it"));
  write_sweep({2});
  ASSERT_EQ(run().code, 0);
  EXPECT_EQ(status()["states"], (common::Json{{"succeeded", 1}}));
  EXPECT_EQ(status()["trials"].size(), 3U);
  EXPECT_THAT(call({"status", "study", "--watch"}).out,
              AllOf(HasSubstr("study: 1 succeeded\n"), HasSubstr("(not in the sweep)"), Not(HasSubstr("next:"))));
}

TEST_F(Study, SurvivesEveryKindOfBadTrial) {
  write_sweep({0, 101, 102, 200, 400, 401, 500, 3});
  const Ended ended = run();
  EXPECT_EQ(ended.code, 3) << ended.err;
  auto results = table();
  for (const char* good : {"seed=0", "seed=101", "seed=102", "seed=401", "seed=3"}) {
    EXPECT_THAT(results[good], HasSubstr("succeeded fid")) << good;
  }
  EXPECT_THAT(results["seed=200"], HasSubstr("diverged"));
  EXPECT_THAT(results["seed=400"], HasSubstr("failed"));
  EXPECT_THAT(results["seed=500"], HasSubstr("failed"));
  EXPECT_THAT(ended.out, AllOf(HasSubstr("loss is nan"), HasSubstr("signal 11"),
                               HasSubstr("no images where the images should be")));
  EXPECT_EQ(run().code, 3) << "nothing is left to do, but not all is well";
}

TEST_F(Study, KillsATrainerThatHangs) {
  write_sweep({300, 0});
  const Ended ended = run({"--silence", "1", "--retries", "0"});
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(table()["seed=300"], HasSubstr("failed"));
  EXPECT_THAT(ended.out, HasSubstr("hung: no event for 1 s"));
  EXPECT_THAT(table()["seed=0"], HasSubstr("succeeded"));
}

TEST_F(Study, StopsInTimeAndGoesOnLater) {
  write_sweep({0, 1, 2}, 60);
  const Ended stopped = run({"--time", "6"}, 100);
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("run the same command again"));
  EXPECT_EQ(run().code, 0);
  EXPECT_THAT(table()["seed=0"], HasSubstr("succeeded"));
}

TEST_F(Study, SavesOnCtrlCAndGoesOnLater) {
  write_sweep({0, 1, 2, 3});
  ASSERT_EQ(run({"--runs", "undisturbed"}).code, 0);
  const auto command = start({}, 50);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("metric"));
  command->signal(SIGINT);
  const Ended stopped = command->wait();
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_TRUE(command->processes().empty());
  EXPECT_TRUE(events_contain("preempted"));
  const Ended second = run();
  EXPECT_EQ(second.code, 0) << second.err;
  const auto after = table();
  std::filesystem::remove_all(folder_ / "runs");
  std::filesystem::rename(folder_ / "undisturbed", folder_ / "runs");
  EXPECT_EQ(after, table());
}

TEST_F(Study, StartedByNohupOutlivesItsTerminal) {
  write_sweep({0, 1});
  Command command({"/bin/sh", "-c", "trap '' HUP; exec \"$0\" \"$@\"", DITSCALE_ORCHESTRATOR, "run", sweep_.string(),
                   "--worker", DITSCALE_TRAINER},
                  {{"FAKE_STEP_MS", "50"}}, folder_);
  ASSERT_TRUE(trainers_run(command, 2));
  ASSERT_TRUE(events_contain("metric"));
  command.signal(SIGHUP);
  EXPECT_EQ(command.wait().code, 0);
}

TEST_F(Study, SaysWhyNothingStartsWhereAJobsVariablesAreLeftOver) {
  write_sweep({0});
  const std::map<std::string, std::string> left_over{{"SLURM_JOB_ID", "9999"},     {"SLURM_JOBID", "9999"},
                                                     {"SLURM_NODELIST", "n[0-1]"}, {"SLURM_NNODES", "2"},
                                                     {"SLURM_NTASKS", "2"},        {"SLURM_TASKS_PER_NODE", "1(x2)"}};
  const Ended ended = Command({DITSCALE_ORCHESTRATOR, "run", sweep_.string(), "--worker", DITSCALE_TRAINER, "--mpi"},
                              left_over, folder_)
                          .wait();
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("no variables may be left over from another job"));
}

TEST_F(Study, DoesNotRetryWhatHasLeftTheSweep) {
  write_sweep({500, 0});
  EXPECT_EQ(run({"--retries", "0"}).code, 3);
  write_sweep({0});
  EXPECT_EQ(run().code, 5);
  const Ended retried = call({"retry", "study"});
  EXPECT_EQ(retried.code, 5) << retried.err;
  EXPECT_THAT(retried.out, AllOf(HasSubstr("seed=500: left as it is"), HasSubstr("Put it back")));
  EXPECT_THAT(call({"explain", "study"}).out, HasSubstr("every trial has ended"));
}

TEST_F(Study, IsNotHurriedByASecondCancellation) {
  write_sweep({600, 0}, 30);
  const auto command = start({}, 100);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("metric"));
  for (const int signal : {SIGUSR1, SIGUSR1, SIGUSR2}) {
    command->signal(signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(command->wait().code, 4);
  EXPECT_THAT(table()["seed=600"], HasSubstr("succeeded")) << "it takes its time to stop";
  EXPECT_THAT(table()["seed=0"], HasSubstr("preempted"));
}

TEST_F(Study, IsCancelledFromElsewhere) {
  write_sweep({600, 0}, 30);
  const auto command = start({}, 100);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("metric"));
  const std::string id = status()["trials"][0]["id"];
  for (const bool dry : {true, false}) {
    std::vector<std::string> one{"cancel", "study", "--trial", id};
    if (dry) one.emplace_back("--dry-run");
    const Ended refused = call(one);
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("`orchestrator cancel study`"));
  }
  const Ended dry = call({"cancel", "study", "--dry-run"});
  EXPECT_EQ(dry.code, 0);
  EXPECT_THAT(dry.out, HasSubstr("(process " + std::to_string(command->pid()) + "): asked to save and end (dry run"));
  for (int again = 0; again < 2; ++again) EXPECT_EQ(call({"cancel", "study"}).code, 0);
  EXPECT_EQ(command->wait().code, 4);
  EXPECT_THAT(table()["seed=600"], HasSubstr("succeeded")) << "a second cancellation is no call to hurry";
  EXPECT_THAT(table()["seed=0"], HasSubstr("preempted"));
  EXPECT_EQ(call({"cancel", "study"}).code, 5) << "nothing runs any more";
}

TEST_F(Study, IsKilledFromElsewhere) {
  write_sweep({600, 300});
  const auto command = start({}, 200);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("started"));
  const Ended cancelled = call({"cancel", "study", "--now"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_EQ(command->wait().code, 4);
  EXPECT_TRUE(command->processes().empty());
}

TEST_F(Study, KillsTrainersThatDoNotListenOnTheSecondCtrlC) {
  write_sweep({600, 300});
  const auto command = start({}, 200);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("started"));
  command->signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  command->signal(SIGINT);
  EXPECT_EQ(command->wait().code, 4);
  EXPECT_TRUE(command->processes().empty());
}

TEST_F(Study, HasOneCoordinatorOnly) {
  write_sweep({0, 1}, 60);
  const auto command = start({}, 100);
  ASSERT_TRUE(trainers_run(*command, 2));
  const Ended second =
      Command({DITSCALE_ORCHESTRATOR, "run", sweep_.string(), "--worker", DITSCALE_TRAINER}, {}, folder_).wait();
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("another `orchestrator run` works on this study"));
  EXPECT_EQ(call({"retry", "study"}).code, 1) << "what trials are may change before they are written";
  EXPECT_EQ(command->wait().code, 0) << "the first is not disturbed";
}

TEST_F(Study, StopsTrialsThatFallBehindAndLetsThemGoOnWhenAskedTo) {
  write_sweep({0, 1, 2, 3, 4, 5}, 20, common::Json::object(), {{"at_steps", {6}}, {"keep", 0.3}});
  const Ended ended = run({"--cpus", "1"}, 20);
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("stopped early: loss"));
  std::map<std::string, int> states;
  for (const auto& [label, result] : table()) ++states[result.substr(0, result.find(' '))];
  EXPECT_GE(states["cancelled"], 1);
  EXPECT_GE(states["succeeded"], 1);
  EXPECT_EQ(states["cancelled"] + states["succeeded"], 6);
  EXPECT_EQ(run({"--cpus", "1"}).code, 5) << "nothing is left to do";
  const Ended bare = call({"retry", "study"});
  EXPECT_EQ(bare.code, 5) << bare.out;
  EXPECT_THAT(bare.out, HasSubstr(std::to_string(states["cancelled"]) + " stopped early, which is no failure"));
  std::vector<std::string> by_name{"retry", "study"};
  const common::Json report = status();
  for (const auto& trial : report["trials"]) {
    if (trial["state"] == "cancelled") by_name.insert(by_name.end(), {"--trial", trial["id"]});
  }
  EXPECT_EQ(call(by_name).code, 0);
  EXPECT_EQ(run({"--cpus", "1"}).code, 0);
  for (const auto& [label, result] : table()) EXPECT_THAT(result, HasSubstr("succeeded")) << label;
}

TEST_F(Study, RunsAsAnMpiJobOfTheUsersOwnWithTwoAgents) {
  write_sweep({0, 1, 2, 3});
  const char* path = std::getenv("PATH");
  const std::string mpirun = orchestrator::find_program("mpirun", path == nullptr ? "" : path);
  const Ended ended = Command({mpirun, "-n", "3", "--oversubscribe", "--bind-to", "none", DITSCALE_ORCHESTRATOR, "run",
                               sweep_.string(), "--worker", DITSCALE_TRAINER},
                              {{"OMPI_ALLOW_RUN_AS_ROOT", "1"}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}}, folder_)
                          .wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const auto& [label, result] : table()) EXPECT_THAT(result, HasSubstr("succeeded")) << label;
  const std::string log = common::read_file(study() / "orchestrator.log");
  EXPECT_THAT(log, AllOf(HasSubstr("starts on agent 1, cpu"), HasSubstr("starts on agent 2, cpu")));
}

TEST_F(Study, RefusesWhatCannotRunBeforeAnythingStarts) {
  write_sweep({0});
  const Ended large = run({"--set", "base.resources.cpus=4096"});
  EXPECT_EQ(large.code, 1);
  EXPECT_THAT(large.err, HasSubstr("asks for 4096 cpus"));
  const Ended broken = run({"--set", "base.train.stepz=3"});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.err, HasSubstr("stepz"));
  const Ended missing = call({"run", sweep_.string(), "--worker", "/nonexistent/worker"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("Build it (`make`), or name it with --worker"));
  EXPECT_EQ(call({"run", sweep_.string(), "--cpus", "none"}).code, 2);
  for (const std::vector<std::string>& needs_mpi :
       {std::vector<std::string>{"--mpi"}, {"--set", "base.resources.processes=2"}}) {
    std::vector<std::string> argv{DITSCALE_ORCHESTRATOR, "run", sweep_.string(), "--worker", DITSCALE_TRAINER};
    argv.insert(argv.end(), needs_mpi.begin(), needs_mpi.end());
    const Ended no_mpi = Command(argv, {{"PATH", "/nonexistent"}}, folder_).wait();
    EXPECT_EQ(no_mpi.code, 1);
    EXPECT_THAT(no_mpi.err, HasSubstr("mpirun is not on PATH"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

TEST_F(Study, StartsNothingThatIsKnownToBeTooSlowForTheTimeLimit) {
  write_sweep({0}, 40);
  ASSERT_EQ(run({"--set", "base.checkpoint.every_steps=20"}, 100).code, 0);
  write_sweep({0, 1}, 40);
  const Ended ended = run({"--set", "base.checkpoint.every_steps=20", "--time", "2"}, 100);
  EXPECT_EQ(ended.code, 4) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("the time that is left is too short"));
  EXPECT_EQ(status()["trials"][1]["attempts"], 0);
}

TEST_F(Study, NeedsNoMpiOnOneMachine) {
  write_sweep({0});
  const Ended ended = Command({DITSCALE_ORCHESTRATOR, "run", sweep_.string(), "--worker", DITSCALE_TRAINER},
                              {{"PATH", "/nonexistent"}}, folder_)
                          .wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST_F(Study, RetriesAndCancelsTrialsOnRequest) {
  write_sweep({0, 102});
  ASSERT_EQ(run({"--retries", "0"}).code, 3);
  EXPECT_EQ(run({"--retries", "0"}).code, 3) << "a failed trial is left alone until someone asks";
  EXPECT_THAT(call({"retry", "study", "--dry-run"}).out, HasSubstr("nothing was changed"));
  for (int attempt = 2; attempt <= 3; ++attempt) {
    const Ended asked = call({"retry", "study"});
    EXPECT_EQ(asked.code, 0) << asked.err;
    EXPECT_THAT(asked.out, AllOf(HasSubstr("seed=102: pending"), HasSubstr("`orchestrator run SWEEP.json` runs them")));
    EXPECT_EQ(run({"--retries", "0"}).code, attempt == 3 ? 0 : 3) << "each request is one more attempt";
  }
  EXPECT_EQ(call({"retry", "study"}).code, 5);
  write_sweep({0, 102, 1});
  ASSERT_EQ(run({"--time", "0.5", "--set", "base.checkpoint.every_steps=20"}, 500).code, 4);
  const std::string id = status()["trials"][2]["id"];
  EXPECT_EQ(call({"cancel", "study", "--trial", id.substr(0, 6)}).code, 0);
  EXPECT_EQ(run().code, 3) << "a cancelled trial does not run";
  EXPECT_THAT(table()["seed=1"], HasSubstr("cancelled"));
  EXPECT_EQ(call({"cancel", "study", "--trial", "zzzz"}).code, 2);
}

TEST_F(Study, ExplainsShowsLogsAndIsWatched) {
  write_sweep({0, 500});
  ASSERT_EQ(run({"--retries", "0"}).code, 3);
  EXPECT_THAT(call({"explain"}).out, AllOf(HasSubstr("no images where the images should be"),
                                           HasSubstr("`orchestrator retry` gives failed ones another")));
  EXPECT_THAT(call({"logs"}).out, HasSubstr("finished with exit code 3"));
  const Ended watched = call({"status", "--watch"});
  EXPECT_EQ(watched.code, 0);
  EXPECT_THAT(watched.out, AllOf(HasSubstr("1 succeeded, 1 failed"), HasSubstr("best FID")));
  EXPECT_EQ(call({"resume"}).code, 2);
  EXPECT_EQ(call({"cancel"}).code, 5);
}

TEST_F(Study, IsHelpedByTheDoctor) {
  const Ended good = call({"doctor", "--worker", "/bin/true"});
  EXPECT_THAT(good.out,
              AllOf(HasSubstr("mpirun starts ranks here"), HasSubstr("true starts"), HasSubstr("file locks")));
  const std::filesystem::path without_cuda = folder_ / "worker";
  std::ofstream(without_cuda) << "#!/bin/sh\n[ \"$1\" = devices ] && echo 'no GPU can be used: built without CUDA'\n";
  std::filesystem::permissions(without_cuda, std::filesystem::perms::owner_all);
  const Ended noted = call({"doctor", "--worker", without_cuda.string()});
  EXPECT_THAT(noted.out, HasSubstr("configure with -DDITSCALE_CUDA=ON"));
  const Ended bad = call({"doctor", "--worker", "/nonexistent/worker"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("BAD   worker"), HasSubstr("build it (`make`), or name it with --worker")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

TEST_F(Study, RunsOneShardAsAStudyOfItsOwn) {
  write_sweep({0, 1, 2});
  EXPECT_EQ(run({"--shard", "1/2"}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "runs" / "study.shard-1-of-2" / "results.db"));
  EXPECT_EQ(run({"--shard", "3/2"}).code, 2);
  EXPECT_EQ(run({"--shard", "4/4"}).code, 2) << "a shard without cells";
}

TEST_F(Study, PlansWithoutTouchingAnything) {
  write_sweep({0, 1});
  const Ended text = call({"plan", sweep_.string(), "--cpus", "2"});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("seed=1"), HasSubstr("no schedule takes less"), HasSubstr("assumed by the roofline")));
  const Ended json = call({"plan", sweep_.string(), "--json"});
  const auto plan = common::Json::parse(json.out);
  EXPECT_EQ(plan["trials"].size(), 2U);
  EXPECT_GE(plan["makespan_s"].get<double>(), plan["makespan_bound_s"].get<double>());
  const Ended dry = call({"run", sweep_.string(), "--worker", DITSCALE_TRAINER, "--dry-run"});
  EXPECT_EQ(dry.code, 0);
  EXPECT_THAT(dry.out, HasSubstr("nothing was started"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

TEST_F(Study, PrintsJsonAloneOnStandardOutput) {
  write_sweep({0, 200});
  const Ended ended = run({"--json"});
  const auto report = common::Json::parse(ended.out);
  EXPECT_EQ(report["exit_code"], 3);
  EXPECT_EQ(report["states"]["succeeded"], 1);
  EXPECT_EQ(report["states"]["diverged"], 1);
  EXPECT_THAT(call({"status", "nothing"}).err, HasSubstr("there are: study"));
  EXPECT_EQ(call({"status"}).code, 0);
}

}  // namespace
}  // namespace ditscale::tests
