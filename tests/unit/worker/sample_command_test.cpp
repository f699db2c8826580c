#include <filesystem>
#include <vector>

#include <gmock/gmock.h>
#include <png.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "worker/checkpoint/checkpoint_store.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/guide_model.hpp"
#include "worker/training/train_state.hpp"

namespace ditscale::worker {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

sweeps::TrialSpec tiny_trial() {
  sweeps::TrialSpec trial;
  trial.model = {.depth = 1, .width = 16, .heads = 2, .patch = 7, .mlp_ratio = 2.0, .class_dropout = 0.1};
  return trial;
}

/// A picture as it was read: grey, row by row.
struct Picture {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;

  [[nodiscard]] std::vector<std::uint8_t> rows(std::int64_t first, std::int64_t count) const {
    return {pixels.begin() + first * width, pixels.begin() + (first + count) * width};
  }
};

Picture read_picture(const fs::path& file) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_file(&header, file.c_str()), 0) << header.message;
  header.format = PNG_FORMAT_GRAY;
  Picture picture{header.width, header.height, std::vector<std::uint8_t>(PNG_IMAGE_SIZE(header))};
  EXPECT_NE(png_image_finish_read(&header, nullptr, picture.pixels.data(), 0, nullptr), 0) << header.message;
  return picture;
}

class SampleCommand : public testing::Test {
 protected:
  /// A trial's folder whose checkpoint holds random weights of this seed.
  std::string trained(const std::string& name, const sweeps::TrialSpec& trial, std::uint64_t seed) {
    const common::TrialPaths paths{folder_.path() / name};
    fs::create_directories(paths.checkpoints());
    TrainState state(trial.shape(), seed, torch::kCPU);
    torch::manual_seed(static_cast<std::uint64_t>(seed));
    state.ema.normal_(0, 0.1);
    CheckpointStore store(paths, 1);
    store.save(take_snapshot(state, trial.to_json(), "fp32", "made up"), [](const auto&, double) {});
    store.wait();
    return paths.folder.string();
  }

  Picture sample(const std::string& arguments) {
    const fs::path out = folder_.path() / "out.png";
    CLI::App app;
    Context context;
    add_commands(app, context);
    app.parse("sample --device cpu --steps 3 --out " + out.string() + " " + arguments);
    EXPECT_EQ(context.action(), 0);
    return read_picture(out);
  }

  test::TemporaryFolder folder_;
};

constexpr std::int64_t kSide = 28, kGap = 2;

TEST_F(SampleCommand, OfSeveralModelsHasARowForEachOnTheSameNoiseAndLabels) {
  const std::string a = trained("a", tiny_trial(), 1), b = trained("b", tiny_trial(), 2);
  const Picture matrix = sample(a + " " + b + " " + a + " --num 4");
  ASSERT_EQ(matrix.width, 4 * kSide + 3 * kGap);
  ASSERT_EQ(matrix.height, 3 * kSide + 2 * kGap);
  const auto row = [&](std::int64_t i) { return matrix.rows(i * (kSide + kGap), kSide); };
  EXPECT_EQ(row(0), row(2));
  EXPECT_NE(row(0), row(1));
  for (const auto& [model, index] : {std::pair(a, 0), std::pair(b, 1)}) {
    EXPECT_EQ(row(index), sample(model + " --num 4 --columns 4").pixels) << "alone, model " << model;
  }
}

TEST_F(SampleCommand, OrdersTheRowsOfSeveralModelsByCompute) {
  sweeps::TrialSpec wider = tiny_trial();
  wider.model.width *= 2;
  const std::string large = trained("large", wider, 1), small = trained("small", tiny_trial(), 2);
  EXPECT_EQ(sample(large + " " + small + " --num 4").pixels, sample(small + " " + large + " --num 4").pixels);
  EXPECT_EQ(sample(large + " " + small + " --num 4").rows(0, kSide), sample(small + " --num 4 --columns 4").pixels);
}

TEST_F(SampleCommand, OfModelsOfOtherImagesIsRefused) {
  sweeps::TrialSpec other = tiny_trial();
  other.data.name = "store";
  other.data.channels = 3;
  other.data.digest = "made up";
  const std::string a = trained("a", tiny_trial(), 1), b = trained("b", other, 2);
  EXPECT_THAT([&] { sample(a + " " + b); }, ThrowsMessage<common::ConfigError>(HasSubstr("b/checkpoints")));
}

TEST_F(SampleCommand, TakesItsGuidanceFromTheCommandLine) {
  const std::string a = trained("a", tiny_trial(), 1), weak = trained("weak", tiny_trial(), 3);
  const Picture plain = sample(a + " --num 4");
  const Picture guided = sample(a + " --num 4 --guidance 3");
  EXPECT_NE(guided.pixels, plain.pixels);
  EXPECT_NE(sample(a + " --num 4 --guidance 3 --guide " + weak).pixels, guided.pixels);
  EXPECT_EQ(sample(a + " --num 4 --guidance 3 --guidance-channels 1").pixels, guided.pixels) << "there is one channel";
  // Of the timesteps 999, 500 and 0, none lies between 0.1 and 0.2.
  EXPECT_EQ(sample(a + " --num 4 --guidance 3 --guidance-interval 0.1,0.2").pixels, plain.pixels);
  EXPECT_THROW(sample(a + " --guide " + weak), common::UsageError);
  EXPECT_THROW(sample(a + " --guidance 3 --guidance-interval 0.2,0.1"), common::UsageError);
}

TEST_F(SampleCommand, DrawsFlowsByEulersSteps) {
  sweeps::TrialSpec flow = tiny_trial();
  flow.objective = {.kind = sweeps::ObjectiveKind::kFlow, .learn_variance = false};
  const std::string model = trained("flow", flow, 1);
  EXPECT_EQ(sample(model + " --num 4").pixels, sample(model + " --num 4 --sampler euler").pixels);
  EXPECT_NE(sample(model + " --num 4").pixels, sample(model + " --num 4 --sampler heun").pixels);
  EXPECT_THROW(sample(model + " --sampler ddim"), common::ConfigError);
}

TEST_F(SampleCommand, AGuideOfAnotherObjectiveIsRefused) {
  sweeps::TrialSpec other = tiny_trial();
  other.objective.prediction = sweeps::Prediction::kV;
  const std::string guide = trained("guide", other, 1);
  EXPECT_THAT([&] { (void)load_guide(guide, tiny_trial(), torch::kCPU); },
              ThrowsMessage<common::ConfigError>(HasSubstr("prediction")));
  sweeps::TrialSpec wider = tiny_trial();
  wider.model.width = 32;
  const GuideModel same = load_guide(trained("wider", wider, 1), tiny_trial(), torch::kCPU);
  const GuideModel again = load_guide(trained("again", wider, 1), tiny_trial(), torch::kCPU);
  EXPECT_EQ(same.digest, again.digest) << "of its weights, not of its file";
  EXPECT_NE(same.digest, load_guide(trained("third", wider, 2), tiny_trial(), torch::kCPU).digest);
}

}  // namespace
}  // namespace ditscale::worker
