#include "worker/evaluation/fashion_cnn.hpp"

#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <torch/types.h>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/json_document.hpp"
#include "sweeps/spec/data_sets.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/data/image_set.hpp"
#include "worker/evaluation/frechet.hpp"

namespace ditscale::worker {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Changes only when the network is replaced, which makes all scores before incomparable: docs/evaluation.md.
constexpr char kDigest[] = "708a16386c11f84d79339ea0c3afd27e";

torch::Tensor some_images(std::int64_t n) {
  torch::manual_seed(0);
  return torch::randint(256, {n, 1, 28, 28}, torch::kByte);
}

TEST(FashionCnnTest, IsBuiltFromTheCommittedWeights) {
  std::ifstream stream(DITSCALE_SOURCE_DIR "/worker/evaluation/fashion_cnn.h5", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_EQ(FashionCnn().digest(), common::hash_hex128(bytes));
  EXPECT_EQ(FashionCnn().digest(), kDigest);
  EXPECT_LT(bytes.size(), 300'000U);
}

TEST(FashionCnnTest, IsMadeByItsName) {
  const std::unique_ptr<FeatureNetwork> network = make_feature_network("fashion_cnn");
  EXPECT_EQ(network->name(), "fashion_cnn");
  EXPECT_EQ(network->width(), 64);
  EXPECT_THAT(message_of<common::ConfigError>([] { (void)make_feature_network("vgg"); }),
              AllOf(HasSubstr("vgg"), HasSubstr("allowed: fashion_cnn")));
}

TEST(FashionCnnTest, GivesTheSameFeaturesEachTime) {
  const FashionCnn network;
  const torch::Tensor images = some_images(300);
  const torch::Tensor first = network.features(images);
  EXPECT_EQ(first.sizes(), (std::vector<std::int64_t>{300, 64}));
  EXPECT_EQ(first.scalar_type(), torch::kFloat);
  EXPECT_FALSE(first.requires_grad());
  EXPECT_TRUE(torch::equal(network.features(images), first));
}

TEST(FashionCnnTest, SeesEachImageAlone) {
  const FashionCnn network;
  const torch::Tensor images = some_images(260);
  const torch::Tensor together = network.features(images);
  for (const std::int64_t i : {0, 249, 250, 259})
    EXPECT_TRUE(torch::allclose(network.features(images.slice(0, i, i + 1))[0], together[i], 1e-4, 1e-3)) << i;
  EXPECT_EQ(network.features(images.slice(0, 0, 0)).size(0), 0);
}

TEST(FashionCnnTest, RefusesImagesItDoesNotFit) {
  const FashionCnn network;
  EXPECT_THAT(message_of<common::ConfigError>([&] {
                (void)network.features(torch::zeros({2, 3, 32, 32}, torch::kByte));
              }),
              AllOf(HasSubstr("fashion_cnn"), HasSubstr("(2, 3, 32, 32)")));
  EXPECT_THROW((void)network.features(torch::zeros({2, 1, 28, 28})), common::ConfigError);
}

/// Needs the real images.
class FashionCnnOnRealImages : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(sweeps::data_set("fashion_mnist").default_root))
      GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  }

  [[nodiscard]] GaussianStats stats_of(const torch::Tensor& images) const {
    GaussianAccumulator accumulator(network_.width());
    accumulator.add(network_.features(images));
    return accumulator.stats();
  }

  FashionCnn network_;
};

TEST_F(FashionCnnOnRealImages, ClassifiesTheTestSetAsItsMetadataSays) {
  const ImageSet test = load_image_set({}, Split::kTest);
  const torch::Tensor answers = network_.logits(network_.features(test.images)).argmax(1);
  const double accuracy = answers.eq(test.labels).to(torch::kDouble).mean().item<double>();
  const double promised = common::Json::parse(network_.metadata()).at("test_accuracy").get<double>();
  EXPECT_GT(accuracy, 0.91);
  EXPECT_NEAR(accuracy, promised, 0.0005);
}

TEST_F(FashionCnnOnRealImages, PutsRealImagesNearAndDamagedOnesFartherAway) {
  const ImageSet test = load_image_set({}, Split::kTest);
  const FrechetReference reference(stats_of(test.images.slice(0, 0, 3000)));
  const torch::Tensor images = test.images.slice(0, 3000, 4000);
  const auto distance_with_noise = [&](double deviation) {
    torch::manual_seed(0);
    const torch::Tensor noisy = images.to(torch::kFloat) + deviation * torch::randn(images.sizes());
    return reference.distance(stats_of(noisy.clamp(0, 255).to(torch::kByte))).value;
  };
  const double real = distance_with_noise(0);
  const double slight = distance_with_noise(10);
  const double strong = distance_with_noise(40);
  EXPECT_LT(real, slight);
  EXPECT_LT(slight, strong);
  EXPECT_LT(real, 0.1 * strong);
}

}  // namespace
}  // namespace ditscale::worker
