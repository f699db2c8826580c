#include <chrono>
#include <thread>

#include "common/atomic_file.hpp"
#include "tests/integration/trainer/real_study.hpp"

namespace ditscale::tests {
namespace {

namespace fs = std::filesystem;
using common::Json;
using testing::HasSubstr;

/// A trained model, and `worker evaluate` on it with all scores and a cache of its own.
class Evaluate : public RealStudy {
 protected:
  void SetUp() override {
    RealStudy::SetUp();
    model_ = folder_ / "one";
    ASSERT_EQ(call_worker({"train", write_trial().string(), "--folder", model_.string()}).code, 0);
  }

  [[nodiscard]] std::vector<std::string> arguments(const fs::path& out, int num_samples) const {
    return {"evaluate",      model_.string(),
            "--num-samples", std::to_string(num_samples),
            "--sampler",     "ddpm",
            "--steps",       "100",
            "--metrics",     "fid,kid,precision,recall,inception_score",
            "--threads",     "1",
            "--out",         out.string()};
  }
  static Json scores_in(const fs::path& file) {
    Json score = Json::parse(common::read_file(file)).at(0);
    score.erase("seconds");
    return score;
  }

  /// Waits until the features of the score in the making take up more than that, and says how much; false after a
  /// minute.
  [[nodiscard]] bool journal_grows(std::uintmax_t& size) const {
    constexpr std::uintmax_t kSomeSamples_bytes = 100'000;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < deadline) {
      std::error_code gone;
      for (const auto& entry : fs::directory_iterator(cache() / "ditscale" / "unfinished", gone)) {
        const std::uintmax_t now = fs::file_size(entry, gone);
        if (gone || now < size + kSomeSamples_bytes) continue;
        size = now;
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  fs::path model_;
};

TEST_F(Evaluate, GivesTheSameScoresOverAGang) {
  ASSERT_EQ(call_worker(arguments(folder_ / "one.json", 1000)).code, 0);
  const Ended gang = call_worker(arguments(folder_ / "two.json", 1000), 2);
  ASSERT_EQ(gang.code, 0) << gang.err;
  EXPECT_EQ(scores_in(folder_ / "one.json"), scores_in(folder_ / "two.json"));
}

TEST_F(Evaluate, KilledAnywhereGoesOnToTheSameScores) {
  constexpr int kSamples = 3000;
  ASSERT_EQ(call_worker(arguments(folder_ / "whole.json", kSamples)).code, 0);
  // Killed twice, each time with some samples more.
  std::uintmax_t size_before = 0;
  for (int round = 0; round < 2; ++round) {
    const auto command = start_worker(arguments(folder_ / "killed.json", kSamples), 1);
    ASSERT_TRUE(journal_grows(size_before));
    command->kill_everything();
    command->wait();
    ASSERT_FALSE(fs::exists(folder_ / "killed.json")) << "it was too fast to be killed";
  }
  const Ended last = call_worker(arguments(folder_ / "killed.json", kSamples));
  ASSERT_EQ(last.code, 0) << last.err;
  EXPECT_THAT(last.err + last.out, HasSubstr("going on after"));
  EXPECT_EQ(scores_in(folder_ / "whole.json"), scores_in(folder_ / "killed.json"));
  // What is there is not made again.
  EXPECT_EQ(call_worker(arguments(folder_ / "killed.json", kSamples)).out, last.out);
}

}  // namespace
}  // namespace ditscale::tests
