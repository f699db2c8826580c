#include <fmt/format.h>
#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "tests/unit/worker/worker_command.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/checkpoint/model_size.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/commands/checkpoint_argument.hpp"
#include "worker/model/flat_views.hpp"
#include "worker/storage/hdf5_file.hpp"
#include "worker/storage/npz_file.hpp"
#include "worker/torch.hpp"
#include "worker/training/train_state.hpp"
#include "worker/weights/safetensors.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using common::CorruptData;
using testing::AllOf;
using testing::HasSubstr;

/// Runs the program's command line without the program.
/// A small model for latents of 64 pixels whose EMA and trained weights differ.
class WeightsCommands : public InScratchFolder {
 protected:
  WeightsCommands() {
    common::JsonDocument document;
    document.value = {{"model", {{"depth", 2}, {"width", 64}, {"heads", 4}, {"patch", 2}}},
                      {"data",
                       {{"name", "store"},
                        {"image_size", 64},
                        {"space", "latents"},
                        {"channels", 4},
                        {"num_classes", 10},
                        {"num_images", 100},
                        {"digest", "x"}}}};
    trial_ = sweeps::trial_spec_from(document);
    TrainState state(trial_.shape(), 1, torch::kCPU);
    for (const ParameterSlot& slot : state.layout.slots()) {
      flat_view(state.weights, slot).normal_(0, 0.1);
      flat_view(state.ema, slot).normal_(0, 0.1);
    }
    state.step = 7;
    write_checkpoint_file(at("step-7.h5"), take_snapshot(state, trial_.to_json(), "fp32", "digest"));
    weights_ = state.weights;
    ema_ = state.ema;
  }
  [[nodiscard]] std::string file(const std::string& name) const { return at(name).string(); }
  void write_inputs(std::int64_t count = 3, std::int64_t label = 10) const {
    write_npz(at("in.npz"), {{"x", torch::randn({count, 4, 8, 8})},
                             {"t", torch::full({count}, 500, torch::kInt64)},
                             {"y", torch::full({count}, label, torch::kInt64)}});
  }

  sweeps::TrialSpec trial_;
  torch::Tensor weights_, ema_;
};

TEST_F(WeightsCommands, ExportThenImportGivesTheSameWeightsInEitherLayout) {
  for (const std::string layout : {"reference", "diffusers"}) {
    run_worker("export " + file("step-7.h5") + " --layout " + layout + " --out " + file("e.safetensors"));
    run_worker("import " + file("e.safetensors") + " --out " + file("i.h5"));
    const TrainedModel model = load_trained_model(file("i.h5"), torch::kCPU);
    EXPECT_TRUE(model.weights.equal(ema_));
    EXPECT_EQ(model.trial, trial_);
    EXPECT_EQ(model.step, std::nullopt);
    run_worker("export " + file("i.h5") + " --layout " + layout + " --out " + file("e2.safetensors"));
    EXPECT_EQ(bytes_of(at("e.safetensors")), bytes_of(at("e2.safetensors")));
  }
}

TEST_F(WeightsCommands, ExportTakesTheTrainedWeightsWhenTold) {
  run_worker("export " + file("step-7.h5") + " --weights weights --out " + file("e.safetensors"));
  run_worker("import " + file("e.safetensors") + " --out " + file("i.h5"));
  EXPECT_TRUE(load_trained_model(file("i.h5"), torch::kCPU).weights.equal(weights_));
  EXPECT_THAT(message_of<ConfigError>([&] { (void)load_trained_model(file("i.h5"), torch::kCPU, "weights"); }),
              HasSubstr("holds no weights"));
}

TEST_F(WeightsCommands, ExportsAFolderThatImportUnderstands) {
  run_worker("export " + file("step-7.h5") + " --layout diffusers --out " + file("folder"));
  EXPECT_THAT(bytes_of(at("folder/config.json")), HasSubstr("DiTTransformer2DModel"));
  run_worker("import " + file("folder") + " --out " + file("i.h5"));
  EXPECT_TRUE(load_trained_model(file("i.h5"), torch::kCPU).weights.equal(ema_));
  EXPECT_THAT(message_of<ConfigError>([&] { run_worker("import " + folder_.string() + " --out " + file("j.h5")); }),
              HasSubstr("diffusion_pytorch_model"));
}

TEST_F(WeightsCommands, ForwardGivesTheModelsOutputBatchByBatch) {
  write_inputs();
  run_worker("forward " + file("step-7.h5") + " " + file("in.npz") + " " + file("whole.npz") + " --device cpu");
  run_worker("forward " + file("step-7.h5") + " " + file("in.npz") + " " + file("pieces.npz") +
             " --device cpu --batch 2");
  const torch::Tensor whole = NpzFile::open(at("whole.npz")).read("output");
  EXPECT_EQ(whole.sizes(), at::IntArrayRef({3, 8, 8, 8}));
  EXPECT_GT(whole.abs().mean().item<float>(), 1e-3);
  EXPECT_LT((whole - NpzFile::open(at("pieces.npz")).read("output")).abs().max().item<float>(), 1e-5);
}

TEST_F(WeightsCommands, ForwardSaysWhichArrayDoesNotFit) {
  const auto refusal = [&] {
    return message_of<ConfigError>([&] {
      run_worker("forward " + file("step-7.h5") + " " + file("in.npz") + " " + file("o.npz") + " --device cpu");
    });
  };
  write_npz(at("in.npz"), {{"x", torch::randn({2, 3, 8, 8})}});
  EXPECT_THAT(refusal(), AllOf(HasSubstr("(2, 3, 8, 8)"), HasSubstr("(2, 4, 8, 8)")));
  write_npz(at("in.npz"), {{"x", torch::randn({2, 4, 8, 8})}});
  EXPECT_THAT(refusal(), HasSubstr("array t is missing"));
  write_inputs(2, 11);
  EXPECT_THAT(refusal(), HasSubstr("y holds values outside 0 to 10"));
  write_inputs(2, -1);
  EXPECT_THAT(refusal(), HasSubstr("y holds values outside 0 to 10"));
}

TEST_F(WeightsCommands, InferenceReadsTheAverageOfACheckpointAlone) {
  const TrainedModel model = load_trained_model(file("step-7.h5"), torch::kCPU);
  EXPECT_TRUE(model.weights.equal(ema_));
  EXPECT_EQ(model.step, 7);
  EXPECT_TRUE(load_trained_model(file("step-7.h5"), torch::kCPU, "weights").weights.equal(weights_));
}

TEST_F(WeightsCommands, AWeightsFileOfAnotherVersionOrSizeIsRefused) {
  const auto write = [&](const common::Json& header) {
    Hdf5File out = Hdf5File::create(at("bad.h5"));
    out.write_text("header", header.dump());
    out.write_text("layout", "[]");
    out.write("ema", torch::zeros({4}));
    out.close();
    return message_of<common::Error>([&] { (void)load_trained_model(file("bad.h5"), torch::kCPU); });
  };
  common::Json header{{"kind", "weights"}, {"version", 2}, {"step", nullptr}, {"trial", trial_.to_json()}};
  EXPECT_THAT(write(header), HasSubstr("version 2"));
  header["version"] = kWeightsVersion;
  EXPECT_THAT(write(header), HasSubstr("needs"));
  header["step"] = "many";
  EXPECT_THAT(write(header), HasSubstr("\"step\""));
  header["step"] = nullptr;
  header["trial"]["model"]["depth"] = 1000;
  header["trial"]["model"]["width"] = 65536;
  EXPECT_THAT(write(header), HasSubstr("needs"));
  EXPECT_THAT(write({{"kind", "weights"}, {"version", 1}}), HasSubstr("\"trial\""));
  EXPECT_THAT(write(3), HasSubstr("header"));
}

TEST_F(WeightsCommands, PositionsBeyondAGigabyteAreRefused) {
  put(at("small.h5"), std::string(10000, 'x'));
  const auto refusal = [&](const std::string& position, int image_size) {
    const auto trial = sweeps::trial_spec_from(common::parse_json(
        fmt::format(
            R"({{"data": {{"name": "store", "space": "pixels", "image_size": {}, "channels": 1, "num_classes": 1,
                                  "num_images": 9, "digest": "x"}},
                        "model": {{"depth": 1, "width": 4, "heads": 1, "patch": 1, "position": "{}"}}}})",
            image_size, position),
        "test"));
    return message_of<common::CorruptData>([&] { check_model_size(at("small.h5"), trial.shape()); });
  };
  for (const std::string position : {"sincos", "rope"})
    EXPECT_THAT(refusal(position, 32000), HasSubstr("1024000000 tokens")) << position;
}

TEST_F(WeightsCommands, AFailedImportLeavesNothingBehind) {
  put(at("bad.safetensors"), "nonsense that is no header");
  EXPECT_THROW(run_worker("import " + file("bad.safetensors") + " --out " + file("i.h5")), CorruptData);
  EXPECT_FALSE(std::filesystem::exists(at("i.h5")));
}

}  // namespace
}  // namespace ditscale::worker
