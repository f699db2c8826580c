#include "worker/evaluation/sample_images.hpp"

#include <limits>

#include <gmock/gmock.h>

#include "tests/unit/worker/vae_fixture.hpp"
#include "worker/evaluation/gaussian_stats.hpp"

namespace ditscale::worker {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

DiT tiny_model(std::int64_t channels = 1) {
  sweeps::ModelShape shape;
  shape.model = {.depth = 1, .width = 16, .heads = 2, .patch = 4, .mlp_ratio = 2.0, .class_dropout = 0.1};
  shape.input = {.size = 8, .channels = channels, .num_classes = 3};
  DiT model(shape);
  initialise(*model, 0);
  return model;
}

Sampler sampler_of(const DiT& model) {
  return {model, sweeps::ObjectiveSpec{}, {.sampler = sweeps::SamplerKind::kDdim, .steps = 2, .seed = 9}, torch::kCPU};
}

TEST(SampleImages, OfSeveralBatchesAreThoseOfOne) {
  constexpr std::int64_t kCount = 2 * kSampleBatch + 50;
  const Sampler sampler = sampler_of(tiny_model());
  const torch::Tensor labels = sampler.uniform_labels(7, kCount);
  const torch::Tensor images = sample_images(sampler, 7, labels);
  EXPECT_EQ(images.sizes(), (std::vector<std::int64_t>{kCount, 1, 8, 8}));
  // A zero model only rescales, element by element: no batch changes a rounding.
  EXPECT_TRUE(torch::equal(images, to_bytes(sampler.sample(7, labels))));
}

TEST(SampleImages, ShowEachStepOfEachBatch) {
  const Sampler sampler = sampler_of(tiny_model());
  int num_looks = 0;
  (void)sample_images(sampler, 0, sampler.uniform_labels(0, kSampleBatch + 1), nullptr, {},
                      [&](std::int64_t /*step*/, const torch::Tensor& /*x*/) { ++num_looks; });
  EXPECT_EQ(num_looks, 2 * 3) << "before the first of two steps, and after each, of two batches";
}

TEST(SampleImages, RefusesSamplesThatAreNotFinite) {
  DiT model = tiny_model();
  {
    const torch::NoGradGuard no_grad;
    // Only label 2 is spoilt: it stands in the second batch.
    model->named_parameters()["y_embedder.embedding_table.weight"][2].fill_(std::numeric_limits<float>::quiet_NaN());
  }
  torch::Tensor labels = torch::zeros({kSampleBatch + 5}, torch::kInt64);
  labels[kSampleBatch + 1] = 2;
  EXPECT_THAT([&] { (void)sample_images(sampler_of(model), 0, labels); },
              ThrowsMessage<NotFinite>(HasSubstr("samples 200 to 204 have values that are not finite")));
}

class SamplePictures : public VaeFiles {};

TEST_F(SamplePictures, RefusesPicturesThatAreNotFiniteOfFiniteLatents) {
  const Vae vae =
      Vae::load(write("vae.safetensors", random_vae_tensors(tiny_vae()),
                      [](NamedTensors& tensors) { tensor(tensors, "decoder.conv_out.weight").fill_(3e38F); }),
                torch::kCPU);
  const Sampler sampler = sampler_of(tiny_model(4));
  EXPECT_THAT([&] { (void)sample_images(sampler, 0, sampler.uniform_labels(0, 2), &vae); },
              ThrowsMessage<NotFinite>(HasSubstr("pictures decoded of samples 0 to 1")));
}

}  // namespace
}  // namespace ditscale::worker
