#include <csignal>

#include "tests/integration/trainer/gang.hpp"

namespace ditscale::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Gangs that the orchestrator starts.
class GangStudy : public Gang {
 protected:
  static fs::path only_trial(const fs::path& runs) { return fs::directory_iterator(runs / "study" / "trials")->path(); }
};

TEST_F(GangStudy, TrainsToTheLossesOfOneProcessThoughAMemberIsKilled) {
  write_real_sweep({{"model.width", {16}}});
  ASSERT_EQ(run({"--cpus", "1", "--runs", "single"}).code, 0);
  base_["resources"] = {{"processes", 2}};
  write_real_sweep({{"model.width", {16}}});
  const auto command = start({"--cpus", "2"});
  ASSERT_TRUE(comes([&] { return events_contain("\"checkpoint\""); }));
  const std::vector<pid_t> members = command->trainers();
  ASSERT_EQ(members.size(), 2U) << "the trial was over before it could be disturbed";
  ::kill(members.back(), SIGKILL);
  const Ended ended = command->wait();
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("attempt 1 failed"));
  EXPECT_TRUE(command->nothing_left_within(5));
  const fs::path trial = only_trial(folder_ / "runs");
  EXPECT_EQ(trial.filename(), only_trial(folder_ / "single").filename()) << "its processes are no part of a trial";
  EXPECT_EQ(events_of(trial, "started").back().at("processes"), 2);
  expect_same_up_to_summation(trial, only_trial(folder_ / "single"));
}

}  // namespace
}  // namespace ditscale::tests
