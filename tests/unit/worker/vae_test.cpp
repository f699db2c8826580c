#include "worker/vae/vae.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/vae_fixture.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using common::CorruptData;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// One picture at a time.
constexpr std::int64_t kOneByOne_bytes = 1;
/// Between two float32 computations that sum in another order, some fifteen convolutions deep.
constexpr double kVaeRoom = 1e-5;

torch::Tensor pictures(std::int64_t count) {
  torch::manual_seed(5);
  return torch::rand({count, 3, 16, 24}) * 2 - 1;
}

class VaeTest : public VaeFiles {
 protected:
  Vae tiny(std::int64_t activation_bytes = kVaeActivation_bytes) {
    return Vae::load(write("tiny.safetensors", random_vae_tensors(tiny_vae())), torch::kCPU, activation_bytes);
  }

  /// Same pictures and latents give the same bits.
  void expect_same(const std::filesystem::path& other) {
    const Vae expected = tiny(), actual = Vae::load(other, torch::kCPU);
    const torch::Tensor moments = expected.encode_moments(pictures(1));
    EXPECT_TRUE(torch::equal(actual.encode_moments(pictures(1)), moments));
    const torch::Tensor latents = moments.narrow(1, 0, 4);
    EXPECT_TRUE(torch::equal(actual.decode(latents), expected.decode(latents)));
  }
};

double relative_distance(const torch::Tensor& actual, const torch::Tensor& expected) {
  return ((actual - expected).norm() / expected.norm()).item<double>();
}

TEST_F(VaeTest, TakesPicturesToMomentsAndLatentsToPictures) {
  const Vae vae = tiny();
  EXPECT_EQ(vae.downsampling(), 4);
  EXPECT_EQ(vae.latent_channels(), 4);
  const torch::Tensor moments = vae.encode_moments(pictures(2));
  EXPECT_EQ(moments.sizes(), (std::vector<std::int64_t>{2, 8, 4, 6}));
  EXPECT_TRUE(torch::isfinite(moments).all().item<bool>());
  EXPECT_FALSE(moments.requires_grad());
  const torch::Tensor decoded = vae.decode(moments.narrow(1, 0, 4));
  EXPECT_EQ(decoded.sizes(), (std::vector<std::int64_t>{2, 3, 16, 24}));
  EXPECT_TRUE(decoded.is_contiguous());
}

// Up to the order of summation, which the processor's convolutions choose by the size of the batch.
TEST_F(VaeTest, GivesTheSameInSlicesAsInOneBatch) {
  const Vae whole = tiny(), sliced = tiny(kOneByOne_bytes);
  const torch::Tensor images = pictures(5);
  const torch::Tensor moments = whole.encode_moments(images);
  EXPECT_LT(relative_distance(sliced.encode_moments(images), moments), kVaeRoom);
  const torch::Tensor latents = moments.narrow(1, 0, 4);
  EXPECT_LT(relative_distance(sliced.decode(latents), whole.decode(latents)), kVaeRoom);
}

// With all weights zero and only the last bias set, each output is that bias, whatever goes in.
TEST_F(VaeTest, OfZeroWeightsGivesTheLastBiasesAndBoundsTheLogVariance) {
  const auto only_last_biases = [](NamedTensors& tensors) {
    for (auto& item : tensors) item.second = torch::zeros_like(item.second);
    tensor(tensors, "quant_conv.bias") = torch::tensor({1., 2., 3., 4., 50., -50., 7., 0.}, torch::kFloat32);
    tensor(tensors, "decoder.conv_out.bias") = torch::tensor({0.25, -0.5, 2.}, torch::kFloat32);
  };
  const Vae vae = Vae::load(write("zero.safetensors", random_vae_tensors(tiny_vae()), only_last_biases), torch::kCPU);
  const torch::Tensor moments = vae.encode_moments(pictures(1));
  const torch::Tensor expected = torch::tensor({1., 2., 3., 4., 20., -30., 7., 0.}, torch::kFloat32).view({1, 8, 1, 1});
  EXPECT_TRUE(torch::equal(moments, expected.expand_as(moments)));
  const torch::Tensor decoded = vae.decode(moments.narrow(1, 0, 4));
  EXPECT_TRUE(
      torch::equal(decoded, torch::tensor({0.25, -0.5, 2.}, torch::kFloat32).view({1, 3, 1, 1}).expand_as(decoded)));
}

// Float32 convolutions of another order of summation; TF32, were it on, would leave 1e-3.
TEST_F(VaeTest, ComputesTheSameOnAGpu) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "there is no GPU";
  const Vae cpu = tiny(), gpu = Vae::load(at("tiny.safetensors"), torch::kCUDA);
  const torch::Tensor moments = cpu.encode_moments(pictures(2));
  EXPECT_LT(relative_distance(gpu.encode_moments(pictures(2)).cpu(), moments), kVaeRoom);
  const torch::Tensor latents = moments.narrow(1, 0, 4);
  EXPECT_LT(relative_distance(gpu.decode(latents).cpu(), cpu.decode(latents)), kVaeRoom);
}

TEST(VaePosterior, IsSampledWithTheGivenNoise) {
  const torch::Tensor moments = torch::tensor({1., -2., 0., 2 * std::log(3.)}, torch::kFloat64).view({1, 4, 1, 1});
  const torch::Tensor noise = torch::tensor({0.5, -1.}, torch::kFloat64).view({1, 2, 1, 1});
  const torch::Tensor sample = sample_posterior(moments, noise);
  EXPECT_NEAR(sample[0][0].item<double>(), 1.5, 1e-12);
  EXPECT_NEAR(sample[0][1].item<double>(), -5, 1e-12);
}

TEST_F(VaeTest, RefusesInputsOfAnotherShape) {
  const Vae vae = tiny();
  EXPECT_THAT(
      [&] {
        (void)vae.encode_moments(torch::zeros({1, 3, 18, 16}));
      },
      ThrowsMessage<ConfigError>(AllOf(HasSubstr("1, 3, 18, 16"), HasSubstr("divisible by 4"))));
  EXPECT_THROW((void)vae.encode_moments(torch::zeros({1, 1, 16, 16})), ConfigError);
  EXPECT_THROW((void)vae.encode_moments(torch::zeros({1, 3, 16, 16}, torch::kByte)), ConfigError);
  EXPECT_THROW((void)vae.decode(torch::zeros({0, 4, 4, 4})), ConfigError);
  EXPECT_THROW((void)vae.decode(torch::zeros({4, 4, 4})), ConfigError);
}

TEST_F(VaeTest, ReadsTheOlderSpellingOfAttention) {
  const auto older = [](NamedTensors& tensors) {
    for (auto& [name, value] : tensors) {
      for (const auto& [now, before] : {std::pair{".to_q.", ".query."}, std::pair{".to_k.", ".key."},
                                        std::pair{".to_v.", ".value."}, std::pair{".to_out.0.", ".proj_attn."}}) {
        if (const auto at = name.find(now); at != std::string::npos) name.replace(at, std::strlen(now), before);
      }
      if (value.dim() == 2) value = value.view({value.size(0), value.size(1), 1, 1});
    }
  };
  expect_same(write("older.safetensors", random_vae_tensors(tiny_vae()), older));
}

TEST_F(VaeTest, WidensHalfPrecision) {
  const auto rounded = [](at::ScalarType type) {
    return [type](NamedTensors& tensors) {
      for (auto& item : tensors) item.second = item.second.to(torch::kHalf).to(type);
    };
  };
  const Vae half =
      Vae::load(write("half.safetensors", random_vae_tensors(tiny_vae()), rounded(torch::kHalf)), torch::kCPU);
  const Vae full =
      Vae::load(write("full.safetensors", random_vae_tensors(tiny_vae()), rounded(torch::kFloat)), torch::kCPU);
  EXPECT_TRUE(torch::equal(half.encode_moments(pictures(1)), full.encode_moments(pictures(1))));
  EXPECT_NE(half.digest(), full.digest());
}

TEST_F(VaeTest, ReadsAFolderAsDiffusersWritesIt) {
  put(at("vae/config.json"),
      R"({"_class_name": "AutoencoderKL", "block_out_channels": [32, 32, 64], "layers_per_block": 1,
      "norm_num_groups": 16, "scaling_factor": 0.5, "shift_factor": null, "sample_size": 64})");
  write("vae/diffusion_pytorch_model.safetensors", random_vae_tensors(tiny_vae()));
  const Vae vae = Vae::load(at("vae"), torch::kCPU);
  EXPECT_EQ(vae.config().norm_groups, 16);
  EXPECT_EQ(vae.scaling_factor(), 0.5);
  EXPECT_EQ(tiny().scaling_factor(), 0.18215);
  EXPECT_GT(relative_distance(vae.encode_moments(pictures(1)), tiny().encode_moments(pictures(1))), 1e-3);
}

TEST_F(VaeTest, RefusesAConfigurationThatItsWeightsContradictOrThatItCannotCompute) {
  const auto file = write("vae.safetensors", random_vae_tensors(tiny_vae()));
  for (const char* field : {R"("latent_channels": 8)", R"("block_out_channels": [32, 64])", R"("act_fn": "gelu")",
                            R"("scaling_factor": -1)", R"("norm_num_groups": "many")", R"("norm_num_groups": 2.5)",
                            R"("norm_num_groups": 7)", R"("norm_num_groups": 1e300)", R"("shift_factor": 0.1)"}) {
    put(at("config.json"), fmt::format(R"({{"_class_name": "AutoencoderKL", {}}})", field));
    EXPECT_THROW((void)Vae::load(file, torch::kCPU), ConfigError) << field;
  }
  put(at("config.json"), R"({"_class_name": "DiTTransformer2DModel", "latent_channels": 8})");
  EXPECT_NO_THROW((void)Vae::load(file, torch::kCPU));
}

TEST_F(VaeTest, NamesTheTensorThatIsWrong) {
  const auto expect_refused = [this](const std::string& name, const std::function<void(NamedTensors&)>& change) {
    const auto file = write("bad.safetensors", random_vae_tensors(tiny_vae()), change);
    EXPECT_THAT([&] { (void)Vae::load(file, torch::kCPU); },
                ThrowsMessage<CorruptData>(AllOf(HasSubstr("bad.safetensors"), HasSubstr(name))));
  };
  const std::string name = "decoder.conv_norm_out.weight";
  expect_refused(name,
                 [&](NamedTensors& t) { std::erase_if(t, [&](const auto& item) { return item.first == name; }); });
  expect_refused(name, [&](NamedTensors& t) { tensor(t, name) = torch::ones({33}); });
  expect_refused(name, [&](NamedTensors& t) { tensor(t, name) = torch::ones({32}, torch::kInt64); });
  expect_refused("extra", [](NamedTensors& t) { t.emplace_back("extra", torch::ones({1})); });
  const std::string matrix = "encoder.mid_block.attentions.0.query.weight";
  expect_refused(matrix, [&](NamedTensors& t) { t.emplace_back(matrix, torch::ones({64, 64})); });
}

TEST_F(VaeTest, RefusesFilesThatAreCutShortOrAreNoneAtAll) {
  const std::string bytes = bytes_of(write("vae.safetensors", random_vae_tensors(tiny_vae())));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{4}, std::size_t{1000}, bytes.size() / 2, bytes.size() - 1}) {
    put(at("cut.safetensors"), bytes.substr(0, size));
    EXPECT_THROW((void)Vae::load(at("cut.safetensors"), torch::kCPU), CorruptData) << size;
  }
  EXPECT_THAT([&] { (void)Vae::load(at("none.safetensors"), torch::kCPU); },
              ThrowsMessage<common::SystemError>(HasSubstr("none.safetensors")));
}

}  // namespace
}  // namespace ditscale::worker
