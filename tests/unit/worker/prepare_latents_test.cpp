#include <gmock/gmock.h>

#include "common/error.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "tests/unit/worker/picture_files.hpp"
#include "tests/unit/worker/vae_fixture.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/commands/commands.hpp"
#include "worker/data/prepare.hpp"
#include "worker/evaluation/evaluation_tools.hpp"
#include "worker/storage/hdf5_file.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Four levels: an eighth of the image's side, as models take it.
VaeConfig small_vae() {
  VaeConfig config = tiny_vae();
  config.block_out_channels = {32, 32, 32, 32};
  return config;
}

class LatentPreparation : public VaeFiles {
 protected:
  static constexpr int kImages = 20;

  LatentPreparation() {
    at::set_num_threads(1);
    for (int i = 0; i < kImages; ++i)
      put(at("images") / "c" / (std::to_string(100 + i) + ".png"),
          test_files::rgb_png(40, 32, [i](int x, int y, int c) { return (x * i + y * 5 + c * 60) % 256; }));
    vae_ = write("vae.safetensors", random_vae_tensors(small_vae()));
  }

  [[nodiscard]] PrepareSettings settings(const std::string& out, bool latents = true) const {
    PrepareSettings s;
    s.source = at("images");
    s.out = at(out);
    s.image_size = 16;
    s.device = "cpu";
    if (latents) s.vae = vae_;
    return s;
  }

  torch::Tensor moments_of(const PrepareSettings& s) const {
    EXPECT_TRUE(prepare_store(s, {}).has_value());
    return Hdf5File::open(s.out).read("moments");
  }

  /// Mean and deviation of the pixels that a store of pixels holds.
  torch::Tensor expected(bool mirrored) const {
    EXPECT_TRUE(prepare_store(settings("pixels.h5", false), {}).has_value());
    const torch::Tensor images = Hdf5File::open(at("pixels.h5")).read("images").to(torch::kFloat) / 127.5 - 1.0;
    const auto halves = Vae::load(vae_, torch::kCPU).encode_moments(mirrored ? images.flip(3) : images).chunk(2, 1);
    return torch::cat({halves[0], (halves[1] / 2).exp()}, 1);
  }

  fs::path vae_;
};

TEST_F(LatentPreparation, StoresMeanAndDeviationOfTheImageAndItsMirrorImage) {
  PrepareSettings s = settings("latents.h5");
  s.full_precision = true;
  const torch::Tensor moments = moments_of(s);
  ASSERT_EQ(moments.sizes(), (std::vector<std::int64_t>{kImages, 2, 8, 2, 2}));
  EXPECT_TRUE(torch::allclose(moments.select(1, 0), expected(false), 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(moments.select(1, 1), expected(true), 1e-4, 1e-5));
  const Store store(s.out);
  EXPECT_EQ(store.facts().channels, 4);
  EXPECT_EQ(store.facts().side, 2);
  EXPECT_EQ(store.facts().vae_digest, Vae::load(vae_, torch::kCPU).digest());
  EXPECT_EQ(store.facts().scaling_factor, 0.18215);
  store.verify();
}

TEST_F(LatentPreparation, StoresHalfPrecisionAndOneFlipWhenAsked) {
  PrepareSettings s = settings("latents.h5");
  s.store_flips = false;
  const torch::Tensor moments = moments_of(s);
  ASSERT_EQ(moments.sizes(), (std::vector<std::int64_t>{kImages, 1, 8, 2, 2}));
  EXPECT_EQ(moments.scalar_type(), at::kHalf);
  EXPECT_TRUE(torch::allclose(moments.select(1, 0).to(torch::kFloat), expected(false), 2e-3, 1e-3));
}

TEST_F(LatentPreparation, RefusesSizesAndVaesThatModelsDoNotTake) {
  PrepareSettings s = settings("latents.h5");
  s.image_size = 20;
  EXPECT_THAT(message_of<common::UsageError>([&] { (void)prepare_store(s, {}); }), HasSubstr("multiple of 8"));
  s.image_size = 16;
  s.vae = write("other.safetensors", random_vae_tensors(tiny_vae()));
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)prepare_store(s, {}); }), HasSubstr("1/4"));
}

TEST_F(LatentPreparation, RefusesToGoOnWithAnotherVae) {
  PrepareOptions stopped;
  stopped.stop = [] { return true; };
  EXPECT_FALSE(prepare_store(settings("latents.h5"), stopped).has_value());
  write("vae.safetensors", random_vae_tensors(small_vae()), [](NamedTensors& tensors) { tensors.front().second += 1; });
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)prepare_store(settings("latents.h5"), {}); }),
              HasSubstr("vae"));
}

TEST_F(LatentPreparation, RefusesToGoOnWithAVaeOfAnotherConfiguration) {
  PrepareOptions stopped;
  stopped.stop = [] { return true; };
  const auto refusal = [&] {
    return message_of<common::ConfigError>([&] { (void)prepare_store(settings("latents.h5"), {}); });
  };
  EXPECT_FALSE(prepare_store(settings("latents.h5"), stopped).has_value());
  put(at("config.json"), R"({"_class_name": "AutoencoderKL", "scaling_factor": 0.5})");
  EXPECT_THAT(refusal(), HasSubstr("changed: scaling_factor 0.5 (was null)"));
  put(at("config.json"), R"({"_class_name": "AutoencoderKL", "norm_num_groups": 16})");
  EXPECT_THAT(refusal(), HasSubstr("changed: norm_groups 16 (was null)"));
  fs::remove_all(at("latents.h5.parts"));
  EXPECT_FALSE(prepare_store(settings("latents.h5"), stopped).has_value());
  fs::remove(at("config.json"));
  EXPECT_THAT(refusal(), HasSubstr("changed: norm_groups null (was 16)"));
}

TEST_F(LatentPreparation, ScoresAreRefusedADecoderOfAnotherScale) {
  EXPECT_TRUE(prepare_store(settings("latents.h5"), {}).has_value());
  const ImageSet images{{}, {}, "", std::make_shared<const Store>(at("latents.h5"))};
  const sweeps::TrialSpec trial = sweeps::trial_spec_from(common::parse_json(
      R"({"data": {"name": "imagenet_latents"}, "model": {"depth": 1, "width": 16, "heads": 2, "patch": 8}})", "test"));
  const auto decoder = [&] {
    EvaluationTools tools(trial, images, at("cache"), torch::kCPU, [] {});
    sweeps::EvaluateSpec settings;
    settings.decoder = vae_.string();
    return tools.decoder(settings) != nullptr;
  };
  EXPECT_TRUE(decoder());
  put(at("config.json"), R"({"_class_name": "AutoencoderKL", "scaling_factor": 0.5})");
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)decoder(); }),
              HasSubstr("scaling_factor is 0.5, the training images' latents have 0.18215"));
}

TEST_F(LatentPreparation, SamplesAreRefusedAVaeOfAnotherScale) {
  EXPECT_TRUE(prepare_store(settings("latents.h5"), {}).has_value());
  sweeps::TrialSpec trial;
  trial.data = {.name = "store",
                .root = at("latents.h5").string(),
                .image_size = 16,
                .space = sweeps::DataSpace::kLatents,
                .channels = 4,
                .num_classes = 1,
                .num_images = kImages,
                .digest = Store(at("latents.h5")).facts().digest};
  trial.model = {.depth = 1, .width = 16, .heads = 2, .patch = 2};
  const TrainState state(trial.shape(), 0, torch::kCPU);
  write_checkpoint_file(at("model.h5"), take_snapshot(state, trial.to_json(), "fp32", "made up"));
  const auto sample = [&] {
    CLI::App app;
    Context context;
    add_commands(app, context);
    app.parse(fmt::format("sample {} --vae {} --out {} --num 1 --steps 2 --device cpu", at("model.h5").string(),
                          vae_.string(), at("grid.png").string()));
    return context.action();
  };
  EXPECT_EQ(sample(), 0);
  put(at("config.json"), R"({"_class_name": "AutoencoderKL", "scaling_factor": 0.5})");
  EXPECT_THAT(message_of<common::ConfigError>(sample),
              HasSubstr("scaling_factor is 0.5, the training images' latents have 0.18215"));
}

}  // namespace
}  // namespace ditscale::worker
