#include "worker/sampling/sampler.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "worker/random/normal_batch.hpp"

namespace ditscale::worker {
namespace {

sweeps::ModelShape tiny_shape() {
  sweeps::ModelShape shape;
  shape.model = {.depth = 1, .width = 16, .heads = 2, .patch = 4, .mlp_ratio = 2.0, .class_dropout = 0.1};
  shape.input = {.size = 8, .channels = 1, .num_classes = 3};
  return shape;
}

/// Predicts noise 0 whatever it sees.
DiT silent_model() {
  DiT model(tiny_shape());
  initialise(*model, 0);
  return model;
}

DiT noisy_model() {
  DiT model = silent_model();
  torch::manual_seed(2);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.normal_(0, 0.05);
  return model;
}

const NoiseSchedule kSchedule = NoiseSchedule::linear(1000);

TEST(Ddim, OfNoPredictedNoiseOnlyRescales) {
  const Sampler sampler(silent_model(), kSchedule, {.sampler = "ddim", .steps = 20, .seed = 9}, torch::kCPU);
  const auto labels = torch::zeros({4}, torch::kInt64);
  const auto start = normal_batch(9, Purpose::kSampleStart, 0, 4, {1, 8, 8});
  // Each step multiplies by sqrt(alpha_bar_previous / alpha_bar): the product telescopes.
  const auto expected = start / std::sqrt(kSchedule.alpha_bar[999]);
  EXPECT_TRUE(torch::allclose(sampler.sample(0, labels), expected, 1e-4));
}

TEST(Ddpm, OfNoPredictedNoiseHasTheVarianceOfItsRecursion) {
  const Sampler sampler(silent_model(), kSchedule, {.sampler = "ddpm", .steps = 25, .seed = 9}, torch::kCPU);
  const NoiseSchedule s = kSchedule.respaced(25);
  double variance = 1.0;
  for (std::size_t i = 25; i-- > 0;) {
    // x_0 = x / sqrt(alpha_bar), so the mean is a multiple of x; v = 0 halves the log variances.
    const double factor = s.posterior_x0_weight[i] / std::sqrt(s.alpha_bar[i]) + s.posterior_xt_weight[i];
    const double added = i == 0 ? 0.0 : std::exp(0.5 * (std::log(s.beta[i]) + s.posterior_log_variance[i]));
    variance = factor * factor * variance + added;
  }
  constexpr std::int64_t kImages = 400;
  const auto x = sampler.sample(0, torch::zeros({kImages}, torch::kInt64)).to(torch::kFloat64);
  const double n = kImages * 64.0;
  EXPECT_NEAR(x.square().mean().item<double>() / variance, 1.0, 5 * std::sqrt(2 / n));
}

class EachSampler : public testing::TestWithParam<const char*> {};

TEST_P(EachSampler, ASampleDependsOnItsIndexNotOnItsBatch) {
  const Sampler sampler(noisy_model(), kSchedule, {.sampler = GetParam(), .steps = 10, .guidance = 2.0, .seed = 1},
                        torch::kCPU);
  const auto many = sampler.sample(0, sampler.uniform_labels(0, 6));
  const auto few = sampler.sample(3, sampler.uniform_labels(3, 2));
  EXPECT_TRUE(torch::allclose(many.narrow(0, 3, 2), few, 1e-3, 1e-3));
}

TEST_P(EachSampler, GuidanceOfTheNullLabelChangesNothing) {
  const auto null_labels = torch::full({3}, 3, torch::kInt64);
  const Sampler plain(noisy_model(), kSchedule, {.sampler = GetParam(), .steps = 10}, torch::kCPU);
  const Sampler guided(noisy_model(), kSchedule, {.sampler = GetParam(), .steps = 10, .guidance = 4.0}, torch::kCPU);
  EXPECT_TRUE(torch::allclose(plain.sample(0, null_labels), guided.sample(0, null_labels), 1e-3, 1e-3));
}

INSTANTIATE_TEST_SUITE_P(Samplers, EachSampler, testing::Values("ddpm", "ddim"));

TEST(Sampler, LabelsAreUniformAndKnown) {
  const Sampler sampler(silent_model(), kSchedule, {.sampler = "ddim", .steps = 2}, torch::kCPU);
  const auto counts = torch::bincount(sampler.uniform_labels(0, 3000));
  ASSERT_EQ(counts.size(0), 3);
  // Five standard deviations of a binomial count.
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(counts[i].item<double>(), 1000, 5 * std::sqrt(3000 * (1.0 / 3) * (2.0 / 3)));
}

TEST(Bytes, AreTruncatedNotRounded) {
  const auto x = torch::tensor({-2.0F, -1.0F, 0.0F, 0.005F, 0.9999F, 1.0F, 3.0F});
  EXPECT_TRUE(torch::equal(to_bytes(x), torch::tensor({0, 0, 128, 128, 255, 255, 255}, torch::kUInt8)));
  EXPECT_EQ(to_bytes(torch::tensor({(100.9F - 128.0F) / 127.5F})).item<std::uint8_t>(), 100);
}

}  // namespace
}  // namespace ditscale::worker
