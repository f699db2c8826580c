#include <limits>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/vae_fixture.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/gaussian_stats.hpp"
#include "worker/storage/npz_file.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class VaeCommand : public VaeFiles {
 protected:
  /// The archive that `worker vae VERB` makes of the arrays.
  NpzFile run(const std::string& verb, const std::vector<std::pair<std::string, torch::Tensor>>& arrays,
              const std::string& more = "") {
    write_npz(at("in.npz"), arrays);
    CLI::App app;
    Context context;
    add_commands(app, context);
    app.parse(fmt::format("vae {} {} {} --vae {} --device cpu {}", verb, at("in.npz").string(), at("out.npz").string(),
                          weights_.string(), more));
    EXPECT_EQ(context.action(), 0);
    return NpzFile::open(at("out.npz"));
  }

  [[nodiscard]] Vae vae() const { return Vae::load(weights_, torch::kCPU); }

  std::filesystem::path weights_ = write("vae.safetensors", random_vae_tensors(tiny_vae()));
};

torch::Tensor bytes() { return (torch::arange(2 * 8 * 12 * 3) % 256).to(torch::kByte).view({2, 8, 12, 3}); }

TEST_F(VaeCommand, EncodesArraysToMeanAndLogVariance) {
  const torch::Tensor images = bytes().permute({0, 3, 1, 2}).to(torch::kFloat32) / 127.5 - 1;
  const torch::Tensor moments = vae().encode_moments(images);
  for (const auto& input : {std::pair{"images", images.contiguous()}, std::pair{"arr_0", bytes()}}) {
    const NpzFile result = run("encode", {{input.first, input.second}});
    EXPECT_TRUE(torch::equal(torch::cat({result.read("mean"), result.read("logvar")}, 1), moments)) << input.first;
  }
}

TEST_F(VaeCommand, DecodesLatentsToNumbersOrToTruncatedBytes) {
  const torch::Tensor latents = torch::linspace(-2, 2, 2 * 4 * 2 * 3).view({2, 4, 2, 3});
  const torch::Tensor images = vae().decode(latents);
  EXPECT_TRUE(torch::equal(run("decode", {{"latents", latents}}).read("images"), images));
  const torch::Tensor expected = (127.5 * images + 128).clamp(0, 255).to(torch::kByte).permute({0, 2, 3, 1});
  EXPECT_TRUE(torch::equal(run("decode", {{"latents", latents}}, "--bytes").read("arr_0"), expected));
}

TEST_F(VaeCommand, MakesNoBytesOfWhatIsNotFinite) {
  torch::Tensor latents = torch::zeros({2, 4, 2, 3});
  latents[1].fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(
      [&] {
        (void)run("decode", {{"latents", latents}}, "--bytes");
      },
      ThrowsMessage<NotFinite>(AllOf(HasSubstr("in.npz"), HasSubstr("latent 1"))));
}

// Scaled by 0.18215 a latent has 0.18215 times the mean, and a variance of 0.18215 squared.
TEST_F(VaeCommand, ScalesLatentsAsAModelSeesThem) {
  const torch::Tensor images = torch::linspace(-1, 1, 3 * 8 * 8).view({1, 3, 8, 8});
  const NpzFile plain = run("encode", {{"images", images}});
  const torch::Tensor mean = plain.read("mean"), logvar = plain.read("logvar");
  const NpzFile scaled = run("encode", {{"images", images}}, "--scaled");
  EXPECT_TRUE(torch::allclose(scaled.read("mean"), 0.18215 * mean, 1e-6));
  EXPECT_TRUE(torch::allclose(scaled.read("logvar").exp(), 0.18215 * 0.18215 * logvar.exp(), 1e-5));
  const torch::Tensor decoded = run("decode", {{"latents", mean}}).read("images");
  EXPECT_TRUE(
      torch::allclose(run("decode", {{"latents", 0.18215 * mean}}, "--scaled").read("images"), decoded, 1e-4, 1e-5));
}

TEST_F(VaeCommand, NamesTheArraysItWants) {
  EXPECT_THAT(
      [&] {
        (void)run("encode", {{"x", torch::zeros({1})}});
      },
      ThrowsMessage<ConfigError>(AllOf(HasSubstr("in.npz"), HasSubstr("images"), HasSubstr("it has: x"))));
  EXPECT_THAT(
      [&] {
        (void)run("decode", {{"mean", torch::zeros({1})}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("latents")));
  EXPECT_THAT(
      [&] {
        (void)run("encode", {{"arr_0", torch::zeros({1, 8, 8, 3})}});
      },
      ThrowsMessage<ConfigError>(HasSubstr("must be bytes")));
}

}  // namespace
}  // namespace ditscale::worker
