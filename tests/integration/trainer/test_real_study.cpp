#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <sys/mount.h>

#include "common/atomic_file.hpp"
#include "tests/integration/trainer/real_study.hpp"

namespace ditscale::tests {
namespace {

namespace fs = std::filesystem;
using common::Json;
using ::testing::HasSubstr;

/// Step → loss of a trial's metric events; a later attempt's value replaces an earlier one's.
std::map<std::int64_t, double> losses(const std::vector<Json>& metrics) {
  std::map<std::int64_t, double> result;
  for (const Json& m : metrics) result[m.at("step").get<std::int64_t>()] = m.at("loss").get<double>();
  return result;
}

class StudiesOnOneSlot : public RealStudy {
 protected:
  /// When an attempt began, seconds since 1970.
  static double start_of(const fs::path& trial_folder, int attempt) {
    std::ifstream events(trial_folder / "attempts" / std::to_string(attempt) / "events.jsonl");
    std::string line;
    std::getline(events, line);
    return Json::parse(line).at("t").get<double>();
  }
};

TEST_F(StudiesOnOneSlot, KilledAtRandomMomentsEndWithTheSameTableToTheLastDigit) {
  write_real_sweep({{"model.width", {16, 32}}, {"model.block", {"adaln_zero", "in_context"}}});
  ASSERT_EQ(run({"--cpus", "1", "--runs", "undisturbed"}).code, 0);
  std::mt19937 random(20260101);
  int kills = 0;
  for (bool over = false; !over && kills < 12; ++kills) {
    const auto command = start({"--cpus", "1"});
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<>(700, 2500)(random)));
    command->kill_everything();
    over = command->wait().code == 0;
  }
  EXPECT_GE(kills, 2) << "the study was over before it could be disturbed";
  const Ended last = run({"--cpus", "1"});
  EXPECT_TRUE(last.code == 0 || last.code == 5) << last.err;
  const auto disturbed = table();
  fs::remove_all(folder_ / "runs");
  fs::rename(folder_ / "undisturbed", folder_ / "runs");
  EXPECT_EQ(disturbed, table());
}

/// Step → score of a trial's evaluation events.
std::map<std::int64_t, Json> scores(const std::vector<Json>& evaluations) {
  std::map<std::int64_t, Json> result;
  for (const Json& e : evaluations)
    result[e.at("step").get<std::int64_t>()] = {e.at("values"), e.at("settings_id"), e.at("images")};
  return result;
}

TEST_F(StudiesOnOneSlot, ScoresMadeApartAreThoseMadeInTraining) {
  const Json grid{{"model.width", {16, 32}}};
  write_real_sweep(grid);
  ASSERT_EQ(run({"--cpus", "1", "--runs", "together"}).code, 0);
  base_["evaluate"][0]["apart"] = true;
  write_real_sweep(grid);
  ASSERT_EQ(run({"--cpus", "1"}).code, 0);
  const auto apart = table();
  double last_training_s = 0, first_scoring_s = 1e300;
  for (const auto& trial : fs::directory_iterator(study() / "trials")) {
    const fs::path together = folder_ / "together" / "study" / "trials" / trial.path().filename();
    EXPECT_EQ(scores(events_of(trial.path(), "evaluation")), scores(events_of(together, "evaluation")));
    EXPECT_EQ(events_of(trial.path(), "started").size(), 2U) << "one attempt to train, one to score";
    EXPECT_EQ(events_of(trial.path(), "outcome").front().at("reason"), "trained; scores of 2 steps are made apart");
    for (const auto& entry : fs::directory_iterator(trial.path() / "evaluations"))
      EXPECT_EQ(entry.path().extension(), ".json") << "nothing else is left: " << entry.path();
    last_training_s = std::max(last_training_s, start_of(trial.path(), 1));
    first_scoring_s = std::min(first_scoring_s, start_of(trial.path(), 2));
  }
  EXPECT_LT(last_training_s, first_scoring_s) << "trainings go first";
  fs::remove_all(folder_ / "runs");
  fs::rename(folder_ / "together", folder_ / "runs");
  EXPECT_EQ(apart, table());
}

/// How often each metric of each step was scored, in all attempts.
std::map<std::string, int> count_scores(const std::vector<Json>& evaluations) {
  std::map<std::string, int> count;
  for (const Json& e : evaluations) {
    for (const auto& [metric, unused] : e.at("values").items())
      ++count[fmt::format("{} {}", metric, e.at("step").dump())];
  }
  return count;
}

TEST_F(RealStudy, TwoEntriesForOtherMetricsOfTheSameSamplesAreBothMadeOnce) {
  base_["evaluate"][0]["metrics"] = {"fid"};
  base_["evaluate"].push_back(base_["evaluate"][0]);
  base_["evaluate"][1]["metrics"] = {"kid"};
  const fs::path folder = folder_ / "trial";
  const std::vector<std::string> train{"train", write_trial().string(), "--folder", folder.string(), "--device", "cpu"};
  const std::map<std::string, int> each_once{{"fid 20", 1}, {"fid 40", 1}, {"kid 20", 1}, {"kid 40", 1}};
  for (int attempt = 1; attempt <= 2; ++attempt) {
    ASSERT_EQ(call_worker(train).code, 0);
    EXPECT_EQ(count_scores(events_of(folder, "evaluation")), each_once) << "after attempt " << attempt;
  }
}

TEST_F(RealStudy, ScoresThatWaitAreMadeThoughTheyNeedNoLongerBeMadeApart) {
  const fs::path folder = folder_ / "trial";
  const auto train = [&](bool apart) {
    base_["evaluate"][0]["apart"] = apart;
    return call_worker({"train", write_trial().string(), "--folder", folder.string(), "--device", "cpu"}).code;
  };
  ASSERT_EQ(train(true), 4) << "trained, not scored";
  ASSERT_EQ(train(false), 0);
  EXPECT_EQ(count_scores(events_of(folder, "evaluation")), (std::map<std::string, int>{{"fid 20", 1}, {"fid 40", 1}}));
}

TEST_F(RealStudy, WhatWasMadeBeyondTheCheckpointsIsMadeAgain) {
  base_["train"]["post_hoc_ema_every_steps"] = 20;
  const fs::path folder = folder_ / "trial";
  const std::vector<std::string> train{"train", write_trial().string(), "--folder", folder.string(), "--device", "cpu"};
  ASSERT_EQ(call_worker(train).code, 0);
  fs::remove_all(folder / "checkpoints");
  common::write_file_atomically(folder / "ema" / "step-20.h5", "of other weights");
  ASSERT_EQ(call_worker(train).code, 0);
  EXPECT_EQ(count_scores(events_of(folder, "evaluation")), (std::map<std::string, int>{{"fid 20", 2}, {"fid 40", 2}}));
  EXPECT_GT(fs::file_size(folder / "ema" / "step-20.h5"), 1000U);
}

TEST_F(StudiesOnOneSlot, ScoresMadeApartSurviveKillsAtRandomMoments) {
  base_["evaluate"][0]["apart"] = true;
  base_["evaluate"][0]["every_steps"] = 10;
  base_["evaluate"][0]["num_samples"] = 1000;
  base_["evaluate"][0]["steps"] = 40;
  write_real_sweep({{"model.width", {16, 32}}});
  ASSERT_EQ(run({"--cpus", "1", "--runs", "undisturbed"}).code, 0);
  std::mt19937 random(20260102);
  for (int kills = 0; kills < 5; ++kills) {
    const auto command = start({"--cpus", "1"});
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<>(1500, 4000)(random)));
    command->kill_everything();
    if (command->wait().code == 0) break;
  }
  const Ended last = run({"--cpus", "1"});
  EXPECT_TRUE(last.code == 0 || last.code == 5) << last.err;
  const auto disturbed = table();
  fs::remove_all(folder_ / "runs");
  fs::rename(folder_ / "undisturbed", folder_ / "runs");
  EXPECT_EQ(disturbed, table());
}

TEST_F(RealStudy, ATrialThatDivergesDoesNotStopTheOthers) {
  base_["train"]["clip_norm"] = 1e9;
  write_real_sweep({{"train.lr", {1e-3, 10.0}}});
  const Ended ended = run();
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("diverged"));
  EXPECT_THAT(ended.out, HasSubstr("lower train.lr"));
  EXPECT_THAT(ended.out, HasSubstr("succeeded"));
}

TEST_F(RealStudy, ADataSetThatIsCutShortIsNamed) {
  const fs::path images = folder_ / "data" / "train-images-idx3-ubyte";
  fs::resize_file(images, fs::file_size(images) / 2);
  write_real_sweep({{"model.width", {16}}});
  const Ended ended = run({"--retries", "0"});
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("train-images-idx3-ubyte"));
}

TEST_F(RealStudy, ACheckpointCutShortIsLeftAsideForTheOneBefore) {
  const fs::path trial = write_trial(), folder = folder_ / "one";
  ASSERT_EQ(call_worker({"train", trial.string(), "--folder", folder.string()}).code, 0);
  fs::resize_file(folder / "checkpoints" / "step-40.h5", 1000);
  fs::remove_all(folder / "evaluations");
  const Ended again = call_worker({"train", trial.string(), "--folder", folder.string()});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("step-40.h5 is left aside"));
  EXPECT_EQ(events_of(folder, "started").back().at("resumed_from"), "step-35.h5");
}

TEST_F(RealStudy, AFullDiskFailsTheTrialsSaysSoAndLosesNothing) {
  const fs::path small = folder_ / "small";
  fs::create_directories(small);
  if (::mount("none", small.c_str(), "tmpfs", 0, "size=1500k") != 0) GTEST_SKIP() << "a small file system needs root";
  base_["model"]["width"] = 96;  // checkpoints of several megabytes
  write_real_sweep({{"seed", {0}}});
  const Ended full = run({"--runs", small.string(), "--retries", "0"});
  EXPECT_NE(full.code, 0);
  EXPECT_THAT(full.out + full.err, HasSubstr("No space left on device"));
  EXPECT_EQ(::mount("none", small.c_str(), nullptr, MS_REMOUNT, "size=64m"), 0);
  const Ended again = run({"--runs", small.string(), "--retries", "1"});
  ::umount(small.c_str());
  EXPECT_EQ(again.code, 0) << again.out << again.err;
}

TEST_F(RealStudy, StoppedByASignalGoesOnBitForBit) {
  base_["train"]["steps"] = 150;  // it must not be over before the signal comes
  base_["evaluate"][0]["every_steps"] = 75;
  const fs::path trial = write_trial(), whole = folder_ / "whole", parts = folder_ / "parts";
  ASSERT_EQ(call_worker({"train", trial.string(), "--folder", whole.string()}).code, 0);
  {
    Command first({DITSCALE_TRAINER, "train", trial.string(), "--folder", parts.string()}, {}, folder_);
    ASSERT_TRUE(comes([&] { return has_checkpoint(parts, 10); }));
    first.signal(SIGTERM);
    EXPECT_EQ(first.wait().code, 4);
  }
  ASSERT_EQ(call_worker({"train", trial.string(), "--folder", parts.string()}).code, 0);
  const auto expected = losses(events_of(whole, "metric")), resumed = losses(events_of(parts, "metric"));
  EXPECT_EQ(expected, resumed);
  EXPECT_EQ(events_of(whole, "evaluation").back().at("values"), events_of(parts, "evaluation").back().at("values"));
}

TEST_F(RealStudy, AFolderOfAnotherTrialIsRefused) {
  const fs::path trial = write_trial(), folder = folder_ / "one";
  ASSERT_EQ(call_worker({"train", trial.string(), "--folder", folder.string()}).code, 0);
  const Ended other = call_worker({"train", trial.string(), "--folder", folder.string(), "--set", "seed=7"});
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, HasSubstr("name another --folder"));
}

TEST_F(RealStudy, OtherImagesThanBeforeAreRefused) {
  const fs::path trial = write_trial(), folder = folder_ / "one";
  ASSERT_EQ(call_worker({"train", trial.string(), "--folder", folder.string()}).code, 0);
  std::fstream pixels(folder_ / "data" / "train-images-idx3-ubyte", std::ios::in | std::ios::out | std::ios::binary);
  pixels.seekp(1000);
  pixels.write("changed", 7);
  pixels.close();
  const Ended again = call_worker({"train", trial.string(), "--folder", folder.string()});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("was trained on other images"));
}

TEST_F(RealStudy, SamplesAndScoresComeOutOfATrialsFolder) {
  const fs::path trial = write_trial(), folder = folder_ / "one", picture = folder_ / "grid.png";
  ASSERT_EQ(call_worker({"train", trial.string(), "--folder", folder.string()}).code, 0);
  const Ended sampled =
      call_worker({"sample", folder.string(), "--num", "6", "--steps", "4", "--out", picture.string()});
  EXPECT_EQ(sampled.code, 0) << sampled.err;
  EXPECT_GT(fs::file_size(picture), 100U);
  // The trial's own settings on the same checkpoint give the trial's own score.
  const Ended scored = call_worker({"evaluate", folder.string(), "--json", "--threads", "1"});
  ASSERT_EQ(scored.code, 0) << scored.err;
  const Json result = Json::parse(scored.out).at(0);
  const Json recorded = events_of(folder, "evaluation").back();
  EXPECT_EQ(result.at("settings_id"), recorded.at("settings_id"));
  EXPECT_NEAR(result.at("values").at("fid").get<double>(), recorded.at("values").at("fid").get<double>(), 1e-6);
}

TEST_F(RealStudy, WhatTheTrainerCannotHonourIsRefused) {
  const Ended no_gpu =
      call_worker({"train", write_trial().string(), "--folder", (folder_ / "x").string(), "--device", "cuda"});
  if (no_gpu.code == 0) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(no_gpu.code, 1);
  EXPECT_THAT(no_gpu.err, HasSubstr("GPU 0 was asked for, 0 are visible"));
  const Ended typo = call_worker({"train", write_trial().string(), "--set", "train.stepz=4"});
  EXPECT_EQ(typo.code, 1);
  EXPECT_THAT(typo.err, HasSubstr("did you mean \"steps\""));
}

}  // namespace
}  // namespace ditscale::tests
