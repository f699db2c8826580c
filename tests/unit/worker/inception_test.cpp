#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/inception/inception_graph.hpp"
#include "worker/evaluation/inception/tf1_resize.hpp"
#include "worker/torch.hpp"
#include "worker/weights/safetensors.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using common::CorruptData;
using testing::AllOf;
using testing::HasSubstr;

TEST(ResizeAsTf1, LooksAtMultiplesOfTheScaleWithoutHalfPixels) {
  // Places 0, 1/2, 1, 3/2 of (0, 8): the last two lie on and past the last pixel.
  const torch::Tensor images = torch::tensor({{0.F, 8.F}, {16.F, 24.F}}).view({1, 1, 2, 2});
  const torch::Tensor expected = torch::tensor(
      {{0.F, 4.F, 8.F, 8.F}, {8.F, 12.F, 16.F, 16.F}, {16.F, 20.F, 24.F, 24.F}, {16.F, 20.F, 24.F, 24.F}});
  EXPECT_TRUE(torch::equal(resize_as_tf1(images, 4)[0][0], expected));
}

TEST(ResizeAsTf1, TakesEverySecondPixelWhenItHalves) {
  const torch::Tensor images = torch::arange(2 * 3 * 8 * 8, torch::kFloat32).view({2, 3, 8, 8});
  EXPECT_TRUE(torch::equal(resize_as_tf1(images, 4), images.slice(2, 0, 8, 2).slice(3, 0, 8, 2)));
}

TEST(ResizeAsTf1, KeepsPlanesThatRiseLinearlyAndImagesOfItsSize) {
  const torch::Tensor ramp = torch::arange(10, torch::kFloat32).view({1, 1, 1, 10}).expand({1, 1, 7, 10});
  const torch::Tensor expected = (torch::arange(30, torch::kFloat32) / 3).clamp_max(9);
  EXPECT_TRUE(torch::allclose(resize_as_tf1(ramp, 30)[0][0][29], expected, 1e-6, 1e-6));
  const torch::Tensor same = torch::rand({1, 3, 16, 16});
  EXPECT_TRUE(torch::equal(resize_as_tf1(same, 16), same));
}

TEST(InceptionLayout, HasTheSizeOfTorchvisionsNetwork) {
  EXPECT_EQ(inception_convolutions().size(), 94U);
  std::int64_t parameters = 0;
  for (const auto& [name, shape] : inception_tensor_shapes()) {
    if (name.find("running_") != std::string::npos) continue;
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    parameters += count;
  }
  // 23,834,568 for torchvision's inception_v3 without auxiliary classifier, whose last layer has 1,000 classes.
  EXPECT_EQ(parameters, 23'834'568 + 8 * 2049);
}

/// At the smallest size that leaves a pixel, which costs a hundredth of 299 pixels: there the map is 17 x 17.
TEST(InceptionGraph, MapsAnImageToPooledAndSpatialFeatures) {
  const torch::NoGradGuard no_gradients;
  InceptionWeights weights;
  for (const InceptionConvolution& c : inception_convolutions())
    weights.layers[c.name] = {c, torch::full({c.out, c.in, c.kernel_height, c.kernel_width}, 1e-3F),
                              torch::zeros({c.out})};
  const InceptionGraph::Maps maps = InceptionGraph(std::move(weights))(torch::ones({1, 3, 75, 75}));
  EXPECT_EQ(maps.pooled.sizes(), at::IntArrayRef({1, 2048}));
  EXPECT_EQ(maps.spatial.sizes(), at::IntArrayRef({1, 192, 3, 3}));
  EXPECT_TRUE((maps.pooled > 0).all().item<bool>());
}

class InceptionFiles : public InScratchFolder {};

TEST_F(InceptionFiles, ThatAreOtherNetworksAreRefusedByName) {
  write_safetensors(at("w.safetensors"),
                    {{"fc.weight", torch::zeros({1000, 2048})},
                     {"Mixed_5b.branch1x1.bn.num_batches_tracked", torch::zeros({}, torch::kLong)},
                     {"AuxLogits.fc.bias", torch::zeros({2})}},
                    {});
  EXPECT_THAT(message_of<CorruptData>([&] { (void)make_feature_network("inception", at("w.safetensors")); }),
              AllOf(HasSubstr("w.safetensors: not the weights of the 2015 Inception"), HasSubstr("Conv2d_1a_3x3.bn"),
                    HasSubstr("is missing"), HasSubstr("more")));
}

TEST_F(InceptionFiles, AreNeededWhereANetworkHasThem) {
  EXPECT_THAT(message_of<ConfigError>([] { (void)make_feature_network("inception"); }),
              AllOf(HasSubstr("has no file"), HasSubstr("pt_inception-2015-12-05")));
  EXPECT_THAT(message_of<ConfigError>([&] { (void)make_feature_network("torchscript", at("none.pt")); }),
              HasSubstr("none.pt is not a file"));
  EXPECT_THAT(message_of<ConfigError>([&] { (void)make_feature_network("fashion_cnn", at("x")); }),
              HasSubstr("takes no file"));
  EXPECT_THAT(message_of<ConfigError>([] { (void)make_feature_network("vgg"); }),
              HasSubstr("allowed: fashion_cnn, inception, torchscript"));
}

TEST_F(InceptionFiles, OfTorchScriptThatAreNoneAreRefused) {
  put(at("a.pt"), "PK\x03\x04 and nothing");
  EXPECT_THAT(message_of<ConfigError>([&] { (void)make_feature_network("torchscript", at("a.pt")); }),
              HasSubstr("a.pt: not a TorchScript network"));
}

}  // namespace
}  // namespace ditscale::worker
