#include <cmath>
#include <numbers>
#include <numeric>

#include <gtest/gtest.h>

#include "worker/diffusion/ddpm_objective.hpp"
#include "worker/diffusion/discretised_gaussian.hpp"
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

class VariationalSum : public testing::Test {
 protected:
  /// Sum over t = 1 … 999 of the variational term, in bits, over all 1000 timesteps, for predicted noise `scale` times
  /// the true one.
  double mean_bits(double scale) {
    const DdpmObjective objective(sweeps::ObjectiveSpec{}, torch::kCPU);
    const auto t = torch::arange(1, 1000, torch::kInt64);
    const auto noise = torch::ones({999, 1, 4, 4}).where(torch::arange(16).view({1, 1, 4, 4}) % 2 == 0, -1.0);
    const auto x0 = torch::zeros_like(noise) + 0.3;
    const auto xt = objective.add_noise(x0, noise, t);
    const auto bits = objective.variational_bits(noise * scale, torch::zeros_like(noise), x0, xt, t);
    return bits.to(torch::kFloat64).sum().item<double>() / 1000;
  }
};

// Both are of the published objective, at noise of unit second moment and v = 0 (float64: 0.01414999, 1.3054357e-4).
TEST_F(VariationalSum, TheVarianceTermOfAnUntrainedModelIs) { EXPECT_NEAR(mean_bits(0.0), 0.0141500, 5e-7); }
TEST_F(VariationalSum, TheVarianceTermOfAPerfectMeanIs) { EXPECT_NEAR(mean_bits(1.0), 1.305436e-4, 1e-9); }

TEST_F(VariationalSum, TheNoiseErrorOfAnUntrainedModelIsTheNoisesSecondMoment) {
  const DdpmObjective objective(sweeps::ObjectiveSpec{}, torch::kCPU);
  torch::manual_seed(0);
  const auto noise = torch::randn({4, 1, 28, 28}), x0 = torch::rand_like(noise);
  const auto t = torch::tensor({10, 200, 500, 999}, torch::kInt64);
  const auto output = torch::zeros({4, 2, 28, 28});
  const DiffusionLoss loss = objective.loss(output, x0, objective.add_noise(x0, noise, t), noise, t);
  EXPECT_TRUE(torch::allclose(loss.simple, noise.square().mean({1, 2, 3}), 1e-5));
  EXPECT_TRUE(torch::allclose(loss.total, loss.simple + loss.vlb));
}

TEST(HybridLoss, ThePredictedMeanDoesNotLearnThroughTheBound) {
  const DdpmObjective objective(sweeps::ObjectiveSpec{}, torch::kCPU);
  torch::manual_seed(1);
  const auto noise = torch::randn({2, 1, 4, 4}), x0 = torch::rand_like(noise);
  const auto t = torch::tensor({0, 400}, torch::kInt64);
  auto output = torch::randn({2, 2, 4, 4}).requires_grad_();
  objective.loss(output, x0, objective.add_noise(x0, noise, t), noise, t).vlb.sum().backward();
  EXPECT_EQ(output.grad().narrow(1, 0, 1).abs().max().item<float>(), 0.0F);
  EXPECT_GT(output.grad().narrow(1, 1, 1).abs().min().item<float>(), 0.0F);
}

/// One variational term of a process from its definition, in float64.
struct Term {
  explicit Term(int timestep) {
    // Linear betas from 1e-4 to 2e-2.
    for (int i = 0; i <= timestep; ++i) {
      beta = 1e-4 + (2e-2 - 1e-4) * i / 999;
      previous = alpha_bar;
      alpha_bar *= 1 - beta;
    }
    posterior = beta * (1 - previous) / (1 - alpha_bar);
  }
  /// Difference of the two means when the noise is wrong by `error`.
  [[nodiscard]] double mean_error(double error) const {
    return std::sqrt(previous) * beta / (1 - alpha_bar) * std::sqrt((1 - alpha_bar) / alpha_bar) * error;
  }
  /// KL of Gaussians of variances `posterior` and `variance`, in bits.
  [[nodiscard]] double bits(double variance, double error) const {
    const double d = mean_error(error);
    return 0.5 * (std::log(variance / posterior) - 1 + (posterior + d * d) / variance) / std::numbers::ln2;
  }
  double beta = 0, previous = 1, alpha_bar = 1, posterior = 0;
};

/// The objective's term in bits at one timestep: every pixel `x0`, true noise 1, predicted noise 1 + `error`, variance
/// output `v`.
double bits_of(std::int64_t timestep, double x0, double error, double v) {
  const DdpmObjective objective(sweeps::ObjectiveSpec{}, torch::kCPU);
  const auto t = torch::tensor({timestep}, torch::kInt64);
  const auto image = torch::full({1, 1, 2, 2}, x0), noise = torch::ones_like(image);
  const auto xt = objective.add_noise(image, noise, t);
  return objective.variational_bits(noise + error, torch::full_like(noise, v), image, xt, t).item<double>();
}

class VariationalTerm : public testing::TestWithParam<int> {};

TEST_P(VariationalTerm, OfAVarianceOutputOfOneIsTheDivergenceToBeta) {
  const Term term(GetParam());
  for (const double error : {-1.0, 0.5}) {
    const double expected = term.bits(term.beta, error);
    EXPECT_NEAR(bits_of(GetParam(), 0.3, error, 1.0), expected, 1e-3 * expected);
  }
}

TEST_P(VariationalTerm, OfAVarianceOutputOfMinusOneIsTheDivergenceToThePosterior) {
  const Term term(GetParam());
  for (const double error : {-1.0, 0.5}) {
    const double expected = term.bits(term.posterior, error);
    EXPECT_NEAR(bits_of(GetParam(), 0.3, error, -1.0), expected, 1e-3 * expected);
  }
}

// At early timesteps the two variances differ twofold; later they agree to a few in a thousand.
INSTANTIATE_TEST_SUITE_P(Timesteps, VariationalTerm, testing::Values(1, 2, 10));

TEST(VariationalTerms, OfABetaAndPosteriorThatDifferTwofoldIsKnown) {
  const Term term(1);
  EXPECT_NEAR(term.posterior / term.beta, 1e-4 / 2.19907927928e-4, 1e-7);
  EXPECT_NEAR(bits_of(1, 0.3, 0.0, 1.0), 0.5 * (std::log(2.19907927928) - 1 + 1 / 2.19907927928) / std::numbers::ln2,
              1e-4);
  EXPECT_NEAR(bits_of(1, 0.3, 0.0, -1.0), 0.0, 1e-4);
}

/// Bits of a byte's bin around `x0` under a Gaussian; beyond ±0.999 the bin is open.
double bin_bits(double x0, double mean, double deviation) {
  const auto cdf = [&](double x) { return 0.5 * (1 + std::erf((x - mean) / deviation / std::numbers::sqrt2)); };
  const double below = x0 < -0.999 ? 0.0 : cdf(x0 - 1.0 / 255), up_to = x0 > 0.999 ? 1.0 : cdf(x0 + 1.0 / 255);
  return -std::log2(up_to - below);
}

TEST(StepZeroTerm, IsTheLikelihoodOfTheByte) {
  // Beta is 1e-4; the posterior's variance, zero, is replaced by the next one's: the published -9.8167251353.
  const double wide = 0.01, narrow = std::exp(0.5 * -9.8167251353);
  for (const double x0 : {-1.0, 0.3, 1.0}) {
    for (const double error : {-1.0, 0.0, 0.7}) {
      // Predicted noise too large by `error` puts the mean too low.
      const double mean = x0 - std::sqrt(1 / 0.9999 - 1) * error;
      EXPECT_NEAR(bits_of(0, x0, error, 1.0), bin_bits(x0, mean, wide), 1e-3);
      EXPECT_NEAR(bits_of(0, x0, error, -1.0), bin_bits(x0, mean, narrow), 1e-3);
      EXPECT_NEAR(bits_of(0, x0, error, 0.0), bin_bits(x0, mean, std::sqrt(wide * narrow)), 1e-3);
    }
  }
}

TEST(StepZeroTerm, StandsBesideTheOthersOfItsBatch) {
  const DdpmObjective objective(sweeps::ObjectiveSpec{}, torch::kCPU);
  const auto t = torch::tensor({1, 0, 10}, torch::kInt64);
  const auto image = torch::full({3, 1, 2, 2}, 0.3), noise = torch::ones_like(image);
  const auto bits = objective.variational_bits(noise * 0.5, noise, image, objective.add_noise(image, noise, t), t);
  for (std::int64_t i = 0; i < 3; ++i) {
    const double alone = bits_of(t[i].item<std::int64_t>(), 0.3, -0.5, 1.0);
    EXPECT_NEAR(bits[i].item<double>(), alone, 1e-6) << "image " << i;
  }
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
