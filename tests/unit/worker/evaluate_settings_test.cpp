#include "worker/commands/evaluate_settings.hpp"

#include <set>

#include <gmock/gmock.h>

#include "common/error.hpp"

namespace ditscale::worker {
namespace {

std::vector<sweeps::EvaluateSpec> settings_for(const std::string& arguments, const sweeps::TrialSpec& trial = {}) {
  EvaluateSettings settings;
  CLI::App app;
  settings.add_to(app);
  app.parse(arguments);
  return settings.for_trial(trial);
}

TEST(EvaluateSettings, AreTheTrialsOwnWhenNothingIsSaid) {
  sweeps::TrialSpec trial;
  trial.evaluate.resize(2);
  trial.evaluate[0].num_samples = 123;
  trial.evaluate[1].num_samples = 456;
  EXPECT_THAT(settings_for("", trial), testing::ElementsAre(trial.evaluate[0]));
}

TEST(EvaluateSettings, OfListsAreTheirProduct) {
  const auto all = settings_for("--steps 10,20,50 --guidance 1,1.5 --sample-seed 0,1 --sampler ddim,ddpm");
  std::set<std::string> different;
  for (const auto& settings : all) different.insert(sweeps::to_json(settings).dump());
  EXPECT_EQ(different.size(), 24U);
  EXPECT_EQ(all.size(), 24U);
  EXPECT_EQ(all.front().steps, 10);
  EXPECT_EQ(all.back().steps, 50);
}

TEST(EvaluateSettings, OfAnotherNetworkTakeNothingFromTheTrialsNetwork) {
  sweeps::TrialSpec trial;
  trial.evaluate.resize(1);
  trial.evaluate[0].metrics = {"inception_score", "fid"};
  const auto all = settings_for("--features torchscript --features-file network.pt", trial);
  EXPECT_EQ(all.at(0).metrics, std::vector<std::string>{"fid"});
}

TEST(EvaluateSettings, OfScoresThatCompareWithNothingLeaveTheTrialsReferenceOut) {
  sweeps::TrialSpec trial;
  trial.evaluate.resize(1);
  trial.evaluate[0].reference = "statistics.h5";
  EXPECT_EQ(settings_for("--metrics inception_score", trial).at(0).reference, "");
  EXPECT_EQ(settings_for("--metrics kid", trial).at(0).reference, "statistics.h5");
  EXPECT_THAT([&] { (void)settings_for("--metrics inception_score --reference other.h5", trial); },
              testing::ThrowsMessage<common::ConfigError>(testing::HasSubstr("leave it out")));
}

TEST(EvaluateSettings, AreRefusedLikeASweeps) {
  EXPECT_THAT([] { (void)settings_for("--metrics sfid"); },
              testing::ThrowsMessage<common::ConfigError>(testing::HasSubstr("is not known of features fashion_cnn")));
  EXPECT_THAT([] { (void)settings_for("--steps 2000"); },
              testing::ThrowsMessage<common::ConfigError>(testing::HasSubstr("exceed the 1000 timesteps")));
}

TEST(EvaluateSettings, KnowWhichOptionIsAboutSampling) {
  EvaluateSettings settings;
  CLI::App app;
  settings.add_to(app);
  app.parse("--metrics kid");
  EXPECT_EQ(settings.sampling_option(), std::nullopt);
  settings.guidances = {1.5};
  EXPECT_EQ(settings.sampling_option(), "--guidance");
}

}  // namespace
}  // namespace ditscale::worker
