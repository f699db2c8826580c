#include "worker/evaluation/evaluator.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/evaluation/scores/reference_file.hpp"

namespace ditscale::worker {
namespace {

class EvaluatorTest : public InScratchFolder {};

TEST_F(EvaluatorTest, ALoneProcessStopsInTheMiddleOfARound) {
  const sweeps::TrialSpec trial = sweeps::trial_spec_from(common::parse_json(
      R"({"data": {"name": "fashion_mnist"}, "model": {"depth": 1, "width": 16, "heads": 2, "patch": 14},
          "evaluate": [{"features": "none", "metrics": [], "num_samples": 4, "sampler": "ddim", "steps": 5}]})",
      "test"));
  const ImageSet images;
  SingleProcess communicator;
  Evaluator evaluator(trial, images, at("cache"), torch::kCPU, communicator);
  DiT model(trial.shape());
  initialise(*model, 0);
  int num_questions = 0;
  int num_drawn = 0;
  EvaluationJob job;
  job.stop = [&] { return ++num_questions > 3; };
  job.observe = [&](std::int64_t /*first*/, const torch::Tensor& /*images*/) { ++num_drawn; };
  EXPECT_FALSE(evaluator.evaluate(model, trial.evaluate.front(), job).has_value());
  EXPECT_EQ(num_questions, 4) << "one before the round, three in it";
  EXPECT_EQ(num_drawn, 0);
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
