#include "worker/evaluation/evaluator.hpp"

#include <limits>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/evaluation/sample_images.hpp"
#include "worker/evaluation/scores/reference_file.hpp"

namespace ditscale::worker {
namespace {

class EvaluatorTest : public InScratchFolder {
 protected:
  /// Of a small model without scores: `evaluate` has these and no features.
  static sweeps::TrialSpec small_trial(int num_samples, int steps) {
    common::Json json = common::Json::parse(
        R"({"data": {"name": "fashion_mnist"}, "model": {"depth": 1, "width": 16, "heads": 2, "patch": 14},
            "evaluate": [{"features": "none", "metrics": [], "sampler": "ddim"}]})");
    json["evaluate"][0]["num_samples"] = num_samples;
    json["evaluate"][0]["steps"] = steps;
    return sweeps::trial_spec_from(common::parse_json(json.dump(), "test"));
  }

  static DiT model_of(const sweeps::TrialSpec& trial) {
    DiT model(trial.shape());
    initialise(*model, 0);
    return model;
  }
};

TEST_F(EvaluatorTest, ALoneProcessStopsInTheMiddleOfARound) {
  const sweeps::TrialSpec trial = small_trial(4, 5);
  const ImageSet images;
  SingleProcess communicator;
  Evaluator evaluator(trial, images, at("cache"), torch::kCPU, communicator);
  DiT model = model_of(trial);
  int num_questions = 0;
  int num_drawn = 0;
  EvaluationJob job;
  job.stop = [&] { return ++num_questions > 3; };
  job.observe = [&](std::int64_t /*first*/, const torch::Tensor& /*images*/) { ++num_drawn; };
  EXPECT_FALSE(evaluator.evaluate(model, trial.evaluate.front(), job).has_value());
  EXPECT_EQ(num_questions, 4) << "one before the round, three in it";
  EXPECT_EQ(num_drawn, 0);
}

TEST_F(EvaluatorTest, SamplesThatAreNotFiniteCountOnlyTheWorkThatWasDone) {
  const sweeps::TrialSpec trial = small_trial(100'000, 2);
  const ImageSet images;
  SingleProcess communicator;
  Evaluator evaluator(trial, images, at("cache"), torch::kCPU, communicator);
  DiT model = model_of(trial);
  const torch::NoGradGuard no_gradients;
  for (auto& parameter : model->parameters()) parameter.fill_(std::numeric_limits<float>::quiet_NaN());
  const auto evaluation = evaluator.evaluate(model, trial.evaluate.front(), {});
  ASSERT_TRUE(evaluation);
  EXPECT_FALSE(evaluation->not_finite.empty());
  EXPECT_EQ(evaluation->sampling_macs, 2.0 * static_cast<double>(kSampleBatch * sweeps::forward_macs(trial.shape())));
}

TEST_F(EvaluatorTest, AReferenceThatLacksWhatAScoreNeedsIsRefusedBeforeASampleIsDrawn) {
  ReferenceContent content;
  content.network = "fashion_cnn";
  content.pooled = {0, torch::zeros({64}, torch::kDouble), torch::eye(64, torch::kDouble)};
  write_reference(at("r.h5"), Reference(std::move(content), "made up"));
  sweeps::TrialSpec trial;
  trial.model = {.depth = 1, .width = 16, .heads = 2, .patch = 14};
  const ImageSet images;
  SingleProcess communicator;
  Evaluator evaluator(trial, images, at("cache"), torch::kCPU, communicator);
  sweeps::EvaluateSpec settings;
  settings.reference = at("r.h5").string();
  evaluator.prepare(settings);
  settings.metrics = {"fid", "kid"};
  EXPECT_THAT(message_of<common::ConfigError>([&] { evaluator.prepare(settings); }),
              testing::HasSubstr("holds no features of single images"));
}

}  // namespace
}  // namespace ditscale::worker
