#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include "orchestrator/agent/standstill.hpp"
#include "orchestrator/agent/trainer.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

namespace fs = std::filesystem;

TEST(Standstill, IsAGapBetweenTwoLooksThatIsFarAboveAnySleep) {
  Standstill standstill(5);
  EXPECT_EQ(standstill.seconds_before(1000), 0) << "the first look";
  EXPECT_EQ(standstill.seconds_before(1000.05), 0);
  EXPECT_EQ(standstill.seconds_before(1005), 0);
  EXPECT_EQ(standstill.seconds_before(1105), 100);
  EXPECT_EQ(standstill.seconds_before(1105.05), 0) << "told once";
}

/// A trainer that says nothing, started at 1000 s.
class SilentTrainer : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ditscale-silent-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "attempts" / "1");
    settings_.worker = folder_ / "worker";
    settings_.silence_s = 10;
    std::ofstream(settings_.worker) << "#!/bin/sh\nexec sleep 600\n";
    fs::permissions(settings_.worker, fs::perms::owner_all);
    order_.trial = make_cell(0).id;
    order_.folder = folder_.string();
    order_.shares = {{1, "host", 1, {}}};
    trainer_.emplace(Trainer::start(order_, settings_, 1000));
  }
  void TearDown() override {
    trainer_->stop(/*kill=*/true);
    fs::remove_all(folder_);
  }
  [[nodiscard]] EndedMessage end() {
    for (;;) {
      if (auto ended = trainer_->poll(2000)) return *ended;
      pollfd over{trainer_->end_fd(), POLLIN, 0};
      ::poll(&over, 1, 10);
    }
  }

  fs::path folder_;
  TrainerSettings settings_;
  StartMessage order_;
  std::optional<Trainer> trainer_;
};

TEST_F(SilentTrainer, IsKilled) {
  trainer_->watch_silence(1009);
  trainer_->watch_silence(1011);
  EXPECT_EQ(end().silent_s, 11);
}

TEST_F(SilentTrainer, IsExcusedForTheTimeInWhichItStoodStill) {
  trainer_->watch_silence(1005);
  trainer_->excuse(3600);
  trainer_->watch_silence(1005 + 3600);
  trainer_->stop(/*kill=*/true);
  EXPECT_FALSE(end().silent_s);
}

}  // namespace
}  // namespace ditscale::orchestrator
