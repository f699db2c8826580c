#include <chrono>
#include <csignal>

#include "tests/integration/trainer/gang.hpp"

namespace ditscale::tests {
namespace {

using common::Json;

/// A gang that loses a process in the middle.
class BrokenGang : public Gang {
 protected:
  void SetUp() override {
    Gang::SetUp();
    broken_ = folder_ / "broken";
    base_["train"]["steps"] = 150;
    base_["evaluate"] = Json::array();
  }

  /// Starts the gang and kills whom `whom` names when `moment` has come: the others must end with it.
  void break_when(const std::function<bool()>& moment, const std::function<pid_t(const Command&)>& whom) {
    write_trial();
    const auto gang = start_worker(train(broken_), 2);
    ASSERT_TRUE(comes(moment));
    ASSERT_EQ(::kill(whom(*gang), SIGKILL), 0);
    const auto killed = std::chrono::steady_clock::now();
    EXPECT_NE(gang->wait().code, 0);
    EXPECT_TRUE(gang->nothing_left_within(kEnd_s));
    EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::duration<double>(kEnd_s));
    EXPECT_TRUE(events_of(broken_, "outcome").empty()) << "it was too fast to be broken";
  }
  /// The same command goes on, to what an undisturbed gang reaches.
  void expect_to_go_on() {
    const std::filesystem::path whole = folder_ / "whole";
    ASSERT_EQ(trained(whole, 2).code, 0);
    const Ended again = trained(broken_, 2);
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_FALSE(events_of(broken_, "started").back().at("resumed_from").is_null());
    EXPECT_EQ(series(whole), series(broken_));
    EXPECT_FALSE(holds(broken_ / "checkpoints", ".tmp-"));
  }

  static pid_t launcher(const Command& gang) { return gang.pid(); }
  static pid_t first_member(const Command& gang) { return gang.trainers().front(); }
  static pid_t last_member(const Command& gang) { return gang.trainers().back(); }

  std::filesystem::path broken_;
};

TEST_F(BrokenGang, EndsWithAMemberOrItsLauncherKilledInATrainingStep) {
  break_when([&] { return has_checkpoint(broken_, 20); }, last_member);
  break_when([&] { return has_checkpoint(broken_, 60); }, launcher);
  expect_to_go_on();
}

TEST_F(BrokenGang, EndsWithAMemberKilledWhileACheckpointIsWritten) {
  base_["train"]["steps"] = 40;
  base_["model"]["width"] = 96;  // checkpoints of several megabytes
  break_when([&] { return has_checkpoint(broken_, 5) && holds(broken_ / "checkpoints", ".tmp-"); }, first_member);
  expect_to_go_on();
}

TEST_F(BrokenGang, EndsWithAMemberKilledInAScore) {
  base_["train"]["steps"] = 40;
  base_["evaluate"] =
      Json::array({Json{{"every_steps", 20}, {"num_samples", 1000}, {"sampler", "ddim"}, {"steps", 20}}});
  break_when([&] { return holds(broken_ / "evaluations", ".features"); }, last_member);
  expect_to_go_on();
}

}  // namespace
}  // namespace ditscale::tests
