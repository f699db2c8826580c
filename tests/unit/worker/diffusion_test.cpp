#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "worker/diffusion/hybrid_loss.hpp"
#include "worker/diffusion/noise_schedule.hpp"

namespace ditscale::worker {
namespace {

// Numbers of the released model's schedule: linear betas, 1000 steps from 1e-4 to 2e-2.
TEST(NoiseSchedule, HasThePublishedTables) {
  const NoiseSchedule s = NoiseSchedule::linear(1000);
  EXPECT_NEAR(s.alpha_bar[0], 0.9999, 1e-12);
  EXPECT_NEAR(s.alpha_bar[249], 0.524085373825361, 1e-12);
  EXPECT_NEAR(s.alpha_bar[499], 0.0785872428817782, 1e-13);
  EXPECT_NEAR(s.alpha_bar[999], 4.03582976537568e-05, 1e-16);
  EXPECT_NEAR(s.posterior_log_variance[0], -9.8167251353, 1e-9);
  EXPECT_EQ(s.posterior_log_variance[0], s.posterior_log_variance[1]);
  EXPECT_NEAR(s.posterior_log_variance[999], -3.9120238291, 1e-9);
}

TEST(NoiseSchedule, RespacesTo250StepsRoundingHalfToEven) {
  const NoiseSchedule s = NoiseSchedule::linear(1000).respaced(250);
  ASSERT_EQ(s.size(), 250);
  const std::vector<std::int64_t> first(s.timestep.begin(), s.timestep.begin() + 8);
  EXPECT_EQ(first, (std::vector<std::int64_t>{0, 4, 8, 12, 16, 20, 24, 28}));
  const std::vector<std::int64_t> last(s.timestep.end() - 5, s.timestep.end());
  EXPECT_EQ(last, (std::vector<std::int64_t>{983, 987, 991, 995, 999}));
  EXPECT_EQ(std::accumulate(s.timestep.begin(), s.timestep.end(), std::int64_t{0}), 124875);
  EXPECT_NEAR(s.beta[1], 5.99065564476e-4, 1e-14);
  EXPECT_NEAR(s.beta[249], 0.0775193449924, 1e-12);
}

TEST(NoiseSchedule, RespacedKeepsTheCumulativeProducts) {
  const NoiseSchedule full = NoiseSchedule::linear(1000);
  const NoiseSchedule few = full.respaced(50);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_NEAR(few.alpha_bar[i], full.alpha_bar[static_cast<std::size_t>(few.timestep[i])], 1e-12);
  }
}

class StepZero : public testing::Test {
 protected:
  /// Sum over t = 1 … 999 of the variational term, in bits, over all 1000 timesteps, for predicted noise `scale` times
  /// the true one.
  double mean_bits(double scale) {
    const DiffusionObjective objective(NoiseSchedule::linear(1000), true, torch::kCPU);
    const auto t = torch::arange(1, 1000, torch::kInt64);
    const auto noise = torch::ones({999, 1, 4, 4}).where(torch::arange(16).view({1, 1, 4, 4}) % 2 == 0, -1.0);
    const auto x0 = torch::zeros_like(noise) + 0.3;
    const auto xt = objective.add_noise(x0, noise, t);
    const auto bits = objective.variational_bits(noise * scale, torch::zeros_like(noise), x0, xt, t);
    return bits.to(torch::kFloat64).sum().item<double>() / 1000;
  }
};

// Both are of the published objective, at noise of unit second moment and v = 0 (float64: 0.01414999, 1.3054357e-4).
TEST_F(StepZero, TheVarianceTermOfAnUntrainedModelIs) { EXPECT_NEAR(mean_bits(0.0), 0.0141500, 5e-7); }
TEST_F(StepZero, TheVarianceTermOfAPerfectMeanIs) { EXPECT_NEAR(mean_bits(1.0), 1.305436e-4, 1e-9); }

TEST_F(StepZero, TheNoiseErrorOfAnUntrainedModelIsTheNoisesSecondMoment) {
  const DiffusionObjective objective(NoiseSchedule::linear(1000), true, torch::kCPU);
  torch::manual_seed(0);
  const auto noise = torch::randn({4, 1, 28, 28}), x0 = torch::rand_like(noise);
  const auto t = torch::tensor({10, 200, 500, 999}, torch::kInt64);
  const auto output = torch::zeros({4, 2, 28, 28});
  const DiffusionLoss loss = objective.loss(output, x0, objective.add_noise(x0, noise, t), noise, t);
  EXPECT_TRUE(torch::allclose(loss.simple, noise.square().mean({1, 2, 3}), 1e-5));
  EXPECT_TRUE(torch::allclose(loss.total, loss.simple + loss.vlb));
}

TEST(HybridLoss, ThePredictedMeanDoesNotLearnThroughTheBound) {
  const DiffusionObjective objective(NoiseSchedule::linear(1000), true, torch::kCPU);
  torch::manual_seed(1);
  const auto noise = torch::randn({2, 1, 4, 4}), x0 = torch::rand_like(noise);
  const auto t = torch::tensor({0, 400}, torch::kInt64);
  auto output = torch::randn({2, 2, 4, 4}).requires_grad_();
  objective.loss(output, x0, objective.add_noise(x0, noise, t), noise, t).vlb.sum().backward();
  EXPECT_EQ(output.grad().narrow(1, 0, 1).abs().max().item<float>(), 0.0F);
  EXPECT_GT(output.grad().narrow(1, 1, 1).abs().min().item<float>(), 0.0F);
}

TEST(HybridLoss, TheDiscretisedGaussianIsADistributionOverTheBytes) {
  const auto x = torch::arange(256, torch::kFloat64) / 127.5 - 1.0;
  for (const double mean : {-0.9, 0.0, 0.4}) {
    for (const double log_scale : {-4.0, -1.0}) {
      const auto log_likelihood =
          discretised_gaussian_log_likelihood(x, torch::full_like(x, mean), torch::full_like(x, log_scale));
      EXPECT_NEAR(log_likelihood.exp().sum().item<double>(), 1.0, 1e-9);
    }
  }
}

}  // namespace
}  // namespace ditscale::worker
