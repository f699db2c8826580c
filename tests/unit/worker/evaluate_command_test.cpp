#include <filesystem>
#include <limits>
#include <optional>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "common/error.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "tests/unit/worker/handmade_zip.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/commands/commands.hpp"
#include "worker/commands/scored_model.hpp"
#include "worker/evaluation/evaluator.hpp"
#include "worker/evaluation/scores/reference_file.hpp"
#include "worker/storage/npy_header.hpp"
#include "worker/storage/npz_file.hpp"
#include "worker/training/train_state.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using testing::Each;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Runs the program's command line without the program.
class EvaluateCommand : public InScratchFolder {
 protected:
  EvaluateCommand() { at::set_num_threads(1); }

  int run(const std::string& arguments) {
    CLI::App app;
    Context context;
    context.environment.cache_folder = at("cache");
    add_commands(app, context);
    app.parse(arguments);
    return context.action();
  }
  [[nodiscard]] std::string file(const std::string& name) const { return at(name).string(); }

  /// A fresh model of colour images of 8 pixels, whose store is not on this machine.
  [[nodiscard]] static sweeps::TrialSpec trial_without_store() {
    return sweeps::trial_spec_from(common::parse_json(R"({
        "data": {"name": "store", "space": "pixels", "image_size": 8, "channels": 3, "num_classes": 10,
                 "num_images": 100, "digest": "x"},
        "model": {"depth": 1, "width": 16, "heads": 2, "patch": 4}})",
                                                      "test"));
  }
};

TEST_F(EvaluateCommand, NeedsNoTrainingImagesThatNothingLooksAt) {
  const sweeps::TrialSpec trial = trial_without_store();
  const TrainState state(trial.shape(), 0, torch::kCPU);
  write_checkpoint_file(at("model.h5"), take_snapshot(state, trial.to_json(), "fp32", "made up"));
  const std::string command = "evaluate " + file("model.h5") + " --num-samples 3 --sampler ddim --steps 2 --device cpu";
  EXPECT_EQ(run(command + " --features none --samples " + file("samples.npz")), 0);
  EXPECT_EQ(NpzFile::open(at("samples.npz")).read("arr_0").sizes(), at::IntArrayRef({3, 8, 8, 3}));
  put(at("network.pt"), "is not reached");
  EXPECT_THAT(message_of<ConfigError>(
                  [&] { (void)run(command + " --features torchscript --features-file " + file("network.pt")); }),
              HasSubstr("data.root"));
}

TEST_F(EvaluateCommand, WritesNoSamplesThatAreNotFinite) {
  const sweeps::TrialSpec trial = trial_without_store();
  TrainState state(trial.shape(), 0, torch::kCPU);
  state.ema.fill_(std::numeric_limits<float>::quiet_NaN());
  write_checkpoint_file(at("model.h5"), take_snapshot(state, trial.to_json(), "fp32", "made up"));
  EXPECT_EQ(run("evaluate " + file("model.h5") + " --num-samples 3 --sampler ddim --steps 2 --device cpu " +
                "--features none --samples " + file("samples.npz")),
            0);
  for (const auto& entry : std::filesystem::directory_iterator(at(".")))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("samples.npz")));
}

TEST_F(EvaluateCommand, TellsImportedModelsApartThatHaveTheSameWeights) {
  sweeps::TrialSpec trial = trial_without_store();
  const TrainState state(trial.shape(), 0, torch::kCPU);
  const auto digest = [&](std::int64_t heads, std::optional<std::int64_t> step) {
    trial.model.heads = heads;
    std::filesystem::remove(at("model.h5"));
    write_weights_file(at("model.h5"), {trial.to_json(), step, nullptr}, state.layout, state.ema);
    return load_scored_model(file("model.h5"), "ema", torch::kCPU).digest;
  };
  EXPECT_NE(digest(2, std::nullopt), digest(4, std::nullopt));
  EXPECT_EQ(digest(2, std::nullopt), digest(2, std::nullopt));
}

TEST_F(EvaluateCommand, DrawsSamplesWithoutScoresOnlyOnce) {
  const sweeps::TrialSpec trial = trial_without_store();
  const TrainState state(trial.shape(), 0, torch::kCPU);
  SingleProcess alone;
  const ImageSet no_images;
  Evaluator evaluator(trial, no_images, at("cache"), torch::kCPU, alone);
  sweeps::EvaluateSpec settings;
  settings.features = "none";
  settings.metrics.clear();
  settings.num_samples = 1000;
  settings.sampler = sweeps::SamplerKind::kDdim;
  settings.steps = 2;
  std::vector<std::int64_t> drawn;
  EvaluationJob job;
  job.journal = at("journal");
  job.observe = [&](std::int64_t first, const torch::Tensor&) { drawn.push_back(first); };
  job.stop = [&] { return !drawn.empty(); };
  EXPECT_FALSE(evaluator.evaluate(state.ema_model, settings, job).has_value());
  EXPECT_THAT(drawn, ElementsAre(0));
  drawn.clear();
  job.stop = [] { return false; };
  const auto evaluation = evaluator.evaluate(state.ema_model, settings, job);
  ASSERT_TRUE(evaluation.has_value());
  EXPECT_THAT(drawn, Not(IsEmpty()));
  EXPECT_THAT(drawn, Each(Gt(0)));
  EXPECT_TRUE(evaluation->first_samples.defined());
}

TEST_F(EvaluateCommand, OfImagesKnowsNoWeights) {
  write_npz(at("images.npz"), {{"arr_0", torch::zeros({2, 28, 28, 1}, torch::kByte)}});
  EXPECT_THAT(message_of<common::UsageError>([&] { (void)run("evaluate " + file("images.npz") + " --weights raw"); }),
              HasSubstr("--weights"));
}

// The images are damaged, which is not noticed before they are read.
TEST_F(EvaluateCommand, OfImagesLooksFirstWhetherTheReferenceHasWhatTheScoreNeeds) {
  ReferenceContent content;
  content.network = "fashion_cnn";
  content.pooled = {0, torch::zeros({64}, torch::kDouble), torch::eye(64, torch::kDouble)};
  write_reference(at("r.h5"), Reference(std::move(content), "made up"));
  const torch::Tensor images = torch::zeros({2, 28, 28, 1}, torch::kByte);
  HandmadeEntry damaged = stored("arr_0.npy", npy_header_text(images) + std::string(images.nbytes(), '\0'));
  damaged.crc ^= 1;
  put(at("images.npz"), handmade_zip({damaged}));
  EXPECT_THAT(message_of<ConfigError>(
                  [&] { (void)run("evaluate " + file("images.npz") + " --metrics kid --reference " + file("r.h5")); }),
              HasSubstr("holds no features of single images"));
}

// What they read is damaged, which is not noticed before the place.
TEST_F(EvaluateCommand, AndItsLikeLookFirstWhetherTheResultCanBeWritten) {
  put(at("images.npz"), "nonsense");
  const std::string images = file("images.npz"), out = file("nowhere/out");
  for (const std::string& command :
       {"evaluate " + images + " --out " + out, "features " + images + " " + out + " --features fashion_cnn",
        "reference " + images + " --out " + out + " --features fashion_cnn",
        "vae encode " + images + " " + out + " --vae " + images}) {
    EXPECT_THAT(message_of<ConfigError>([&] { (void)run(command); }), HasSubstr("there is no folder")) << command;
  }
}

}  // namespace
}  // namespace ditscale::worker
