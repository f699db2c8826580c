#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/file_lock.hpp"
#include "tests/integration/trainer/gang.hpp"

namespace ditscale::tests {
namespace {

namespace fs = std::filesystem;
using common::Json;
using ::testing::HasSubstr;

class EachDesignOverAGang : public Gang, public ::testing::WithParamInterface<const char*> {};

TEST_P(EachDesignOverAGang, TrainsToTheLossesOfOneProcess) {
  base_["model"]["block"] = GetParam();
  base_["model"]["width"] = 32;
  base_["model"]["mup_base_width"] = 16;
  base_["train"]["micro_batch"] = 2;
  base_["train"]["clip_norm"] = 0.05;
  base_["train"]["log_every_steps"] = 1;
  base_["evaluate"] = Json::array();
  write_trial();
  const fs::path one = folder_ / "one";
  ASSERT_EQ(trained(one, 1).code, 0);
  const bool published_design = std::string(GetParam()) == "adaln_zero";
  for (const int processes : published_design ? std::vector{2, 4} : std::vector{2}) {
    const fs::path gang = folder_ / fmt::format("{}", processes);
    const Ended ended = trained(gang, processes);
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(events_of(gang, "started").back().at("processes"), processes);
    expect_same_up_to_summation(gang, one);
  }
  EXPECT_GT(series(one).begin()->second.second, 0.05) << "nothing was clipped";
}
INSTANTIATE_TEST_SUITE_P(Designs, EachDesignOverAGang,
                         ::testing::Values("adaln_zero", "adaln", "in_context", "cross_attention"));

TEST_F(Gang, StopsTogetherAndGoesOnBitForBit) {
  base_["train"]["steps"] = 150;
  base_["evaluate"] = Json::array();
  write_trial();
  const fs::path whole = folder_ / "whole", parts = folder_ / "parts";
  ASSERT_EQ(trained(whole, 2).code, 0);
  {
    const auto gang = start_worker(train(parts), 2);
    ASSERT_TRUE(comes([&] { return has_checkpoint(parts, 10); }));
    gang->signal(SIGUSR2);  // mpirun hands it on to every rank
    EXPECT_EQ(gang->wait().code, 4);
    EXPECT_TRUE(gang->nothing_left_within(kEnd_s));
  }
  const Json stopped = events_of(parts, "outcome").back();
  EXPECT_EQ(stopped.at("state"), "preempted");
  EXPECT_TRUE(has_checkpoint(parts, stopped.at("step").get<int>())) << "it ended before its checkpoint was written";
  ASSERT_EQ(trained(parts, 2).code, 0);
  EXPECT_EQ(series(whole), series(parts));
}

TEST_F(Gang, GoesOnOverFewerProcesses) {
  base_["train"]["steps"] = 120;
  base_["evaluate"] = Json::array();
  write_trial();
  const fs::path one = folder_ / "one", parts = folder_ / "parts";
  ASSERT_EQ(trained(one, 1).code, 0);
  for (const auto& [processes, until] : {std::pair{4, 10}, {2, 60}}) {
    const auto gang = start_worker(train(parts), processes);
    ASSERT_TRUE(comes([&] { return has_checkpoint(parts, until); }));
    gang->signal(SIGUSR2);
    ASSERT_EQ(gang->wait().code, 4) << "it was too fast to be stopped";
  }
  ASSERT_EQ(trained(parts, 1).code, 0);
  const std::vector<Json> starts = events_of(parts, "started");
  ASSERT_EQ(starts.size(), 3U);
  for (std::size_t i = 0; i < starts.size(); ++i) EXPECT_EQ(starts[i].at("processes"), 4 >> i);
  expect_same_up_to_summation(parts, one);
}

TEST_F(Gang, StopsWhileItScoresAndGoesOn) {
  base_["evaluate"][0]["num_samples"] = 4000;
  base_["evaluate"][0]["steps"] = 50;
  base_["evaluate"][0]["every_steps"] = 40;
  write_trial();
  const fs::path folder = folder_ / "gang";
  const auto gang = start_worker(train(folder), 2);
  ASSERT_TRUE(comes([&] { return holds(folder / "evaluations", ".features"); }));
  gang->signal(SIGUSR2);
  EXPECT_EQ(gang->wait().code, 4);
  EXPECT_TRUE(gang->nothing_left_within(kEnd_s));
  EXPECT_EQ(events_of(folder, "outcome").back().at("reason"), "asked to stop after step 40");
  EXPECT_TRUE(has_checkpoint(folder, 40));
}

TEST_F(Gang, StopsWhileItWaitsForTheTrainerBefore) {
  write_trial();
  const fs::path folder = folder_ / "gang";
  fs::create_directories(folder);
  const auto lock = common::FileLock::try_acquire(folder / "trainer.lock");
  ASSERT_TRUE(lock);
  const auto gang = start_worker(train(folder), 2);
  ASSERT_TRUE(comes([&] { return fs::exists(folder / "evaluations"); }));
  gang->signal(SIGUSR2);
  EXPECT_EQ(gang->wait().code, 4);
  EXPECT_TRUE(gang->nothing_left_within(kEnd_s));
}

TEST_F(Gang, DivergesTogether) {
  base_["train"]["lr"] = 10.0;
  base_["train"]["clip_norm"] = 1e9;
  write_trial();
  const fs::path folder = folder_ / "gang";
  const auto gang = start_worker(train(folder), 2);
  EXPECT_EQ(gang->wait().code, 6);
  EXPECT_TRUE(gang->nothing_left_within(kEnd_s));
  EXPECT_EQ(events_of(folder, "outcome").back().at("state"), "diverged");
}

TEST_F(Gang, EndsWithAReasonWhenItsFirstRankFails) {
  write_trial();
  const fs::path folder = folder_ / "gang";
  fs::create_directories(folder);
  std::ofstream(folder / "samples") << "a file where a folder should be";
  const auto gang = start_worker(train(folder), 2);
  const Ended ended = gang->wait();
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("samples: "));
  EXPECT_TRUE(gang->nothing_left_within(kEnd_s));
}

TEST_F(Gang, MembersKeepToTheirSliceOfTheProcessors) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  }
  if (cpus.size() < 2) GTEST_SKIP() << "this machine has one processor";
  base_["train"]["steps"] = 1'000'000;
  base_["evaluate"] = Json::array();
  const fs::path folder = folder_ / "gang";
  const auto gang = start_worker({"train", write_trial().string(), "--device", "cpu", "--folder", folder.string(),
                                  "--cpu-list", fmt::format("{},{}", cpus[1], cpus[0])},
                                 2);
  ASSERT_TRUE(comes([&] { return has_checkpoint(folder, 5); }));
  const std::vector<pid_t> members = gang->trainers();
  ASSERT_EQ(members.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    cpu_set_t own;
    ASSERT_EQ(::sched_getaffinity(members[i], sizeof own, &own), 0);
    EXPECT_EQ(CPU_COUNT(&own), 1);
    EXPECT_TRUE(CPU_ISSET(cpus[1 - i], &own)) << "member " << i;
  }
  EXPECT_EQ(events_of(folder, "started").back().at("threads"), 1);
}

TEST_F(Gang, ItsFirstRankWritesEventsToTheNamedPipe) {
  const fs::path pipe = folder_ / "pipe", folder = folder_ / "gang";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  write_trial();
  std::vector<std::string> arguments = train(folder);
  arguments.insert(arguments.end(), {"--event-pipe", pipe.string()});

  const Ended unread = call_worker(arguments, 2);
  EXPECT_EQ(unread.code, 1);
  EXPECT_THAT(unread.err, HasSubstr("nobody reads this pipe"));

  const int end = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(end, 0);
  const Ended read = call_worker(arguments, 2);
  EXPECT_EQ(read.code, 0) << read.err;
  std::string sent(std::size_t{1} << 16, '\0');  // all that a pipe holds
  sent.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(end, sent.data(), sent.size()))));
  ::close(end);
  EXPECT_EQ(sent, common::read_file(folder / "attempts" / "1" / "events.jsonl"));

  arguments.insert(arguments.end(), {"--event-fd", "1"});
  EXPECT_EQ(call_worker(arguments, 1).code, 2);
}

}  // namespace
}  // namespace ditscale::tests
