#include <gmock/gmock.h>

#include "common/error.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "tests/unit/worker/vae_fixture.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/image_grid.hpp"
#include "worker/evaluation/sample_images.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* kLatentTrial = R"({"data": {"name": "imagenet_latents"},
    "model": {"depth": 1, "width": 16, "heads": 2, "patch": 8}})";
constexpr const char* kPixelTrial = R"({"data": {"name": "fashion_mnist"},
    "model": {"depth": 1, "width": 16, "heads": 2, "patch": 7}})";

class SampleLatents : public VaeFiles {
 protected:
  std::string checkpoint(const char* text) {
    const sweeps::TrialSpec trial = sweeps::trial_spec_from(common::parse_json(text, "test"));
    const TrainState state(trial.shape(), 0, torch::kCPU);
    write_checkpoint_file(at("model.h5"), take_snapshot(state, trial.to_json(), "fp32", "made up"));
    return at("model.h5").string();
  }

  std::string vae(std::int64_t latent_channels, std::vector<std::int64_t> block_out_channels = {32, 32, 32, 32}) {
    VaeConfig config = tiny_vae();
    config.latent_channels = latent_channels;
    config.block_out_channels = std::move(block_out_channels);
    return write("vae.safetensors", random_vae_tensors(config)).string();
  }

  void sample(const std::string& model, const std::string& more) {
    CLI::App app;
    Context context;
    add_commands(app, context);
    app.parse(fmt::format("sample {} --out {} --num 2 --columns 2 --steps 2 --seed 4 --device cpu {}", model,
                          at("grid.png").string(), more));
    ASSERT_EQ(context.action(), 0);
  }
};

// A fresh model predicts no noise, so the samples are known without the command; the published factor divides them.
TEST_F(SampleLatents, AreDecodedAtTheVaesScaleAndWrittenAsPictures) {
  const std::string vae_file = vae(4);
  sample(checkpoint(kLatentTrial), "--vae " + vae_file);

  const sweeps::TrialSpec trial = sweeps::trial_spec_from(common::parse_json(kLatentTrial, "test"));
  const TrainState state(trial.shape(), 0, torch::kCPU);
  const Sampler sampler(state.ema_model, trial.objective,
                        {.sampler = sweeps::SamplerKind::kDdim, .steps = 2, .seed = 4}, torch::kCPU);
  const torch::Tensor latents = sampler.sample(0, sampler.uniform_labels(0, 2)) / 0.18215;
  const torch::Tensor pictures = Vae::load(vae_file, torch::kCPU).decode(latents);
  EXPECT_EQ(pictures.sizes(), (std::vector<std::int64_t>{2, 3, 256, 256}));
  write_png_grid(at("expected.png"), (127.5 * pictures + 128).clamp(0, 255).to(torch::kByte), 2);
  EXPECT_EQ(bytes_of(at("grid.png")), bytes_of(at("expected.png")));
}

TEST_F(SampleLatents, AreRefusedWithoutTheirVae) {
  const std::string model = checkpoint(kLatentTrial);
  EXPECT_THAT([&] { sample(model, ""); }, ThrowsMessage<ConfigError>(HasSubstr("--vae")));
}

TEST_F(SampleLatents, AreRefusedByAVaeOfAnotherNumberOfChannels) {
  const std::string latent_model = checkpoint(kLatentTrial);
  EXPECT_THAT([&] { sample(latent_model, "--vae " + vae(3)); },
              ThrowsMessage<ConfigError>(HasSubstr("latents of 3 channels")));
  const std::string pixel_model = checkpoint(kPixelTrial);
  EXPECT_THAT([&] { sample(pixel_model, "--vae " + vae(4)); },
              ThrowsMessage<ConfigError>(HasSubstr("latents of 4 channels")));
}

TEST_F(SampleLatents, AreRefusedByAVaeOfAnotherDownsampling) {
  const std::string model = checkpoint(kLatentTrial);
  EXPECT_THAT(
      [&] {
        sample(model, "--vae " + vae(4, {32, 32, 32}));
      },
      ThrowsMessage<ConfigError>(HasSubstr("pictures of 128 pixels a side of the samples' 32, the images have 256")));
}

}  // namespace
}  // namespace ditscale::worker
