#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <random>
#include <thread>

#include <sched.h>
#include <sys/mount.h>

#include "common/atomic_file.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "tests/integration/orchestrator/study_fixture.hpp"

namespace ditscale::tests {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class Faults : public StudyFixture {
 protected:
  std::string trial_id(const std::string& label) {
    const common::Json report = status();
    for (const auto& trial : report["trials"]) {
      if (trial["label"] == label) return trial["id"];
    }
    return "no such trial";
  }

  /// Lets two trainers run, does harm, and expects that all ends and the next run completes the study.
  template <typename Harm>
  void survive(const Harm& harm, const std::vector<std::string>& more = {}) {
    write_sweep({0, 1, 2});
    const auto command = start(more, 60);
    ASSERT_TRUE(trainers_run(*command, 2));
    ASSERT_TRUE(events_contain("metric"));
    harm(*command);
    const Ended ended = command->wait();
    EXPECT_NE(ended.code, 0);
    EXPECT_TRUE(command->nothing_left_within(10)) << "processes were left behind";
    const Ended second = run();
    EXPECT_EQ(second.code, 0) << second.err;
    for (const auto& [label, result] : table()) EXPECT_THAT(result, HasSubstr("succeeded")) << label;
  }

  void stop_by_unreadable_events(const std::string& spoil, const std::string& reason);
};

std::vector<int> own_cores() {
  cpu_set_t set;
  EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<unsigned>(core), &set)) cores.push_back(core);
  }
  return cores;
}

/// Of two agents with a core each, the second's trainers cannot load their libraries.
TEST_F(Faults, ANodeOnWhichNoTrainerCanBeginRests) {
  const std::vector<int> cores = own_cores();
  if (cores.size() < 2) GTEST_SKIP() << "two cores are needed";
  write_sweep({0, 1, 2, 3, 4, 5, 6, 7});
  const auto worker = folder_ / "worker.sh";
  std::ofstream(worker) << "#!/bin/bash\n"
                        << "[[ $(taskset -pc $$) != *': " << cores[1]
                        << "' ]] || { echo 'no libtorch.so'; exit 127; }\n"
                        << "exec '" << DITSCALE_TRAINER << "' \"$@\"\n";
  std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
  const std::string mpirun = orchestrator::find_program("mpirun", std::getenv("PATH"));
  const std::vector<std::string> command{mpirun,
                                         "-n",
                                         "3",
                                         "--oversubscribe",
                                         "--bind-to",
                                         "none",
                                         DITSCALE_ORCHESTRATOR,
                                         "run",
                                         sweep_.string(),
                                         "--worker",
                                         worker.string(),
                                         "--cpus",
                                         "2",
                                         "--gpus",
                                         "0"};
  const std::map<std::string, std::string> environment{
      {"FAKE_STEP_MS", "50"}, {"OMPI_ALLOW_RUN_AS_ROOT", "1"}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};
  const Ended ended = Command(command, environment, folder_).wait();
  ASSERT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("2 trainers in a row failed on "));
  const common::Json report = status();
  int num_attempts = 0;
  for (const auto& trial : report["trials"]) num_attempts += trial["attempts"].get<int>();
  EXPECT_GE(num_attempts, 8 + 2);
  EXPECT_LE(num_attempts, 8 + 6) << "rests of 10, 20, 40 s, on a machine however busy";
}

TEST_F(Faults, KillOfTheLauncherLeavesNothingBehind) {
  survive([](const Command& command) { command.signal(SIGKILL); });
}

TEST_F(Faults, KillOfTheCoordinatorLeavesNothingBehind) {
  survive([](const Command& command) { ::kill(command.run_process(), SIGKILL); });
}

TEST_F(Faults, KillOfTheLauncherOfAnMpiJobLeavesNothingBehind) {
  survive([](const Command& command) { command.signal(SIGKILL); }, {"--mpi"});
}

TEST_F(Faults, KillOfMpirunLeavesNothingBehind) {
  survive([](const Command& command) { ::kill(command.mpirun(), SIGKILL); }, {"--mpi"});
}

TEST_F(Faults, KillOfTheFirstRankLeavesNothingBehind) {
  survive([](const Command& command) { ::kill(command.rank(0), SIGKILL); }, {"--mpi"});
}

TEST_F(Faults, KillOfAnAgentLeavesNothingBehind) {
  survive([](const Command& command) { ::kill(command.rank(1), SIGKILL); }, {"--mpi"});
}

TEST_F(Faults, KillOfATrainerCostsOnlyAnAttempt) {
  write_sweep({0, 1});
  const auto command = start({}, 60);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("metric"));
  ::kill(command->trainers().front(), SIGKILL);
  const Ended ended = command->wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("signal 9 (Killed)"));
  EXPECT_TRUE(command->processes().empty());
}

TEST_F(Faults, ATrainerThatDoesNotEndIsKilledWhenItsAgentIsGone) {
  write_sweep({300, 600});
  const auto command = start({}, 200);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("started"));
  ::kill(command->run_process(), SIGKILL);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  command->signal(SIGINT);
  const Ended ended = command->wait();
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.err, HasSubstr("waiting for trainers that lost their agent"));
  EXPECT_TRUE(command->processes().empty());
}

/// With and without MPI in turn.
TEST_F(Faults, KilledAtRandomMomentsEndsWithTheSameTable) {
  write_sweep({0, 1, 101, 200, 401});
  ASSERT_EQ(run({"--runs", "undisturbed"}).code, 3);
  std::mt19937 random(20260101);
  int kills = 0;
  Ended last;
  for (; kills < 12; ++kills) {
    const auto command = start(kills % 2 == 0 ? std::vector<std::string>{} : std::vector<std::string>{"--mpi"}, 40);
    const auto moment = std::chrono::milliseconds(std::uniform_int_distribution<>(100, 900)(random));
    std::this_thread::sleep_for(moment);
    command->kill_everything();
    last = command->wait();
    EXPECT_TRUE(command->processes().empty());
    if (last.code == 3) break;
  }
  EXPECT_GE(kills, 3) << "the study was over before it could be disturbed";
  last = run();
  EXPECT_EQ(last.code, 3) << last.err;
  const auto disturbed = table();
  std::filesystem::remove_all(folder_ / "runs");
  std::filesystem::rename(folder_ / "undisturbed", folder_ / "runs");
  EXPECT_EQ(disturbed, table());
}

TEST_F(Faults, ATrainerOutOfMemoryCostsOnlyAnAttempt) {
  write_sweep({0, 410});
  const Ended ended = run();
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("attempt 1 failed: exit code 1"));
  const Ended log = call({"logs", "study", "--trial", trial_id("seed=410"), "--attempt", "1"});
  EXPECT_EQ(log.out, "fake worker: std::bad_alloc\n") << log.err;
}

TEST_F(Faults, AReaderThatHoldsTheDatabaseStopsNothing) {
  write_sweep({0, 1});
  ASSERT_EQ(run().code, 0);
  write_sweep({0, 1, 2, 3});
  const std::string command = "sqlite3 '" + (study() / "results.db").string() + "' >/dev/null";
  std::FILE* reader = ::popen(command.c_str(), "w");
  ASSERT_NE(reader, nullptr);
  std::fputs("BEGIN; SELECT count(*) FROM trials, attempts;\n", reader);
  std::fflush(reader);
  const Ended ended = run();
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::fputs("SELECT count(*) FROM trials; COMMIT;\n", reader);
  EXPECT_EQ(::pclose(reader), 0) << "the reader was not disturbed either";
  EXPECT_EQ(table().size(), 4U);
}

/// As `scontrol suspend` does it.
TEST_F(Faults, ATrainerThatWasSuspendedWithAllTheOthersDoesNotCountAsHung) {
  write_sweep({0}, 60);
  const auto command = start({"--silence", "5"}, 60);
  ASSERT_TRUE(trainers_run(*command, 1));
  ASSERT_TRUE(events_contain("metric"));
  const std::vector<pid_t> trainers = command->trainers();
  const std::vector<pid_t> all = command->processes();
  for (const pid_t pid : all) ::kill(pid, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(7));
  for (const pid_t pid : all) {
    if (pid != trainers.at(0)) ::kill(pid, SIGCONT);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ::kill(trainers.at(0), SIGCONT);
  const Ended ended = command->wait();
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_EQ(status()["trials"][0]["attempts"], 1);
}

/// One trainer dies without its last word, and its events cannot be read for a while (`spoil` is given their file's
/// name); the other runs on.
void Faults::stop_by_unreadable_events(const std::string& spoil, const std::string& reason) {
  write_sweep({400, 0}, 60);
  const auto worker = folder_ / "worker.sh";
  std::ofstream(worker) << "#!/bin/bash\n"
                        << "trap : TERM\n"
                        << "'" << DITSCALE_TRAINER << "' \"$@\"\n"
                        << "code=$?\n"
                        << "events=$4/attempts/$6/events.jsonl\n"
                        << "((code < 128)) || { mv \"$events\" \"$events.away\"; " << spoil << "; }\n"
                        << "exit $code\n";
  std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
  const Ended ended = Command({DITSCALE_ORCHESTRATOR, "run", sweep_.string(), "--worker", worker.string()},
                              {{"FAKE_STEP_MS", "60"}}, folder_)
                          .wait();
  EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr(reason), HasSubstr("run the same command again")));
  EXPECT_TRUE(events_contain("\"preempted\"")) << "the other has saved";

  const auto events = study() / "trials" / trial_id("seed=400") / "attempts" / "1" / "events.jsonl";
  std::filesystem::remove(events);
  std::filesystem::rename(events.string() + ".away", events);
  const Ended second = run({"--retries", "0"});
  EXPECT_EQ(second.code, 3) << second.out << second.err;
  EXPECT_THAT(table()["seed=0"], HasSubstr("succeeded"));
}

TEST_F(Faults, AFolderInPlaceOfEventsStopsTheStudyInOrder) {
  stop_by_unreadable_events("mkdir \"$events\"", "it is a folder");
}

TEST_F(Faults, EventsThatCannotBeOpenedStopTheStudyInOrder) {
  stop_by_unreadable_events("ln -s \"$events\" \"$events\"", "Too many levels of symbolic links");
}

TEST_F(Faults, AJumpingClockChangesNothing) {
  write_sweep({0, 1, 101});
  ASSERT_EQ(run().code, 0);
  const auto undisturbed = table();
  std::filesystem::remove_all(folder_ / "runs");
  Command command(
      {DITSCALE_ORCHESTRATOR, "run", sweep_.string(), "--worker", DITSCALE_TRAINER, "--time", "50", "--silence", "20"},
      {{"LD_PRELOAD", DITSCALE_JUMPING_CLOCK}, {"FAKE_STEP_MS", "100"}}, folder_);
  const Ended ended = command.wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(table(), undisturbed);
}

TEST_F(Faults, FilesOfAnotherStudyAreLeftAlone) {
  write_sweep({7, 8});
  ASSERT_EQ(run().code, 0);
  const auto others = table();
  const auto stray = study() / "trials" / "no trial";
  std::filesystem::create_directories(stray / "attempts" / "one");
  common::write_file_atomically(stray / "attempts" / "one" / "events.jsonl", "not an event\n");
  common::write_file_atomically(study() / "trials" / "notes.txt", "mine\n");
  write_sweep({0, 1});
  const Ended ended = run();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("2 more in the database are not part of this sweep file"));
  auto both = table();
  EXPECT_EQ(both.size(), 4U);
  for (const auto& [label, result] : others) EXPECT_EQ(both[label], result);
  EXPECT_EQ(common::read_file(study() / "trials" / "notes.txt"), "mine\n");
  EXPECT_TRUE(std::filesystem::exists(stray / "attempts" / "one" / "events.jsonl"));
}

/// What a power failure leaves of a file that was renamed into its place and not yet on the disk.
TEST_F(Faults, ATrialFileLeftEmptyOrHalfIsWrittenAgain) {
  write_sweep({0, 1});
  const auto command = start({}, 100);
  ASSERT_TRUE(trainers_run(*command, 2));
  ASSERT_TRUE(events_contain("checkpoint"));
  command->kill_everything();
  EXPECT_NE(command->wait().code, 0);
  const auto file_of = [&](const std::string& label) { return study() / "trials" / trial_id(label) / "trial.json"; };
  const std::string whole = common::read_file(file_of("seed=1"));
  std::filesystem::resize_file(file_of("seed=0"), 0);
  std::filesystem::resize_file(file_of("seed=1"), whole.size() / 2);
  const Ended ended = run();
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_EQ(common::read_file(file_of("seed=1")), whole);
  EXPECT_EQ(common::Json::parse(common::read_file(file_of("seed=0")))["seed"], 0);
}

TEST_F(Faults, ANewerDatabaseIsLeftAlone) {
  write_sweep({0});
  ASSERT_EQ(run().code, 0);
  // SQLite keeps the version that its user sets at offset 60 of the file, big-endian.
  std::fstream database(study() / "results.db", std::ios::in | std::ios::out | std::ios::binary);
  database.seekp(60);
  database.write("\0\0\x03\xe7", 4);
  database.close();
  const Ended ended = run();
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("999"));
}

TEST_F(Faults, ATrainersFullDiskStopsTheStudyAndUsesUpNoRetry) {
  for (const int seed : {420, 421}) {
    write_sweep({seed, 0, 1, 2}, 40);
    const Ended full = run({"--retries", "0"}, 20);
    EXPECT_EQ(full.code, 1) << full.out << full.err;
    EXPECT_THAT(full.err, AllOf(HasSubstr(seed == 420 ? "write step-10.h5: No space left on device" : "took nothing"),
                                HasSubstr("run the same command again")));
    EXPECT_EQ(status()["states"].value("failed", 0), 0);
    const Ended second = run({"--retries", "0"});
    EXPECT_EQ(second.code, 0) << second.out << second.err;
    std::filesystem::remove_all(study());
  }
}

TEST_F(Faults, AMissingStoreIsFoundBeforeAnythingStarts) {
  write_sweep({0, 1});
  const Ended refused = run({"--set", "data.root=nowhere/images"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("data.root \"nowhere/images\", which 2 cells"), HasSubstr("no such file")));
  const Ended unnamed =
      run({"--set", "data={\"name\": \"imagenet_latents\"}", "--set", "model.patch=8", "--set", "evaluate=[]"});
  EXPECT_EQ(unnamed.code, 1);
  EXPECT_THAT(unnamed.err, HasSubstr("data.root is empty"));
  EXPECT_FALSE(std::filesystem::exists(study()));
  EXPECT_EQ(run().code, 0);
  EXPECT_EQ(run({"--set", "data.root=nowhere/images"}).code, 5) << "nothing is left that would read it";
}

TEST_F(Faults, AFullDiskStopsTheStudyAndLosesNothing) {
  const auto disk = folder_ / "disk";
  std::filesystem::create_directories(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1536k") != 0) GTEST_SKIP() << "a small disk needs mount rights";
  write_sweep({0, 1, 2, 3}, 40);
  const auto command = start({"--runs", disk.string()}, 50);
  const bool running = trainers_run(*command, 2);
  {
    std::ofstream filler(disk / "filler");
    for (int i = 0; i < 4096 && filler; ++i) filler << std::string(4096, 'x') << std::flush;
  }
  const Ended full = command->wait();
  std::filesystem::remove(disk / "filler");
  const Ended second = run({"--runs", disk.string()});
  const Ended shown = call({"status", "study", "--runs", disk.string(), "--json"});
  EXPECT_EQ(::umount2(disk.c_str(), MNT_DETACH), 0);
  EXPECT_TRUE(running);
  EXPECT_TRUE(command->processes().empty());
  EXPECT_EQ(full.code, 1) << full.out << full.err;
  EXPECT_THAT(full.err, HasSubstr("are free in " + disk.string()));
  EXPECT_THAT(full.err, AllOf(AnyOf(HasSubstr("results.db"), HasSubstr("its disk took nothing more")),
                              HasSubstr("run the same command again")));
  EXPECT_EQ(second.code, 0) << second.out << second.err;
  EXPECT_EQ(common::Json::parse(shown.out)["states"]["succeeded"], 4);
}

}  // namespace
}  // namespace ditscale::tests
