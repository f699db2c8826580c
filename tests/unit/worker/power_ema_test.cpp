#include "worker/training/power_ema.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/training/train_step.hpp"

namespace ditscale::worker {
namespace {

// Gammas of the paper's own example widths (Karras et al. 2024, section 3.1: 6.94 for 0.10; and 16.97 for 0.05).
TEST(PowerEma, ExponentsAreThePapers) {
  EXPECT_NEAR(power_ema_exponent(0.10), 6.94, 0.005);
  EXPECT_NEAR(power_ema_exponent(0.05), 16.97, 0.005);
}

/// The average with exponent gamma of a made-up path of weights, after each step.
class MadeUpTraining : public testing::Test {
 protected:
  static constexpr std::int64_t kSteps = 2000;
  static torch::Tensor weights_at(std::int64_t step) {
    const double s = static_cast<double>(step) / kSteps;
    return torch::tensor({std::sqrt(s), std::exp(-3 * s), std::sin(9 * s), s}, torch::kFloat64);
  }
  static torch::Tensor average_after(double gamma, std::int64_t last) {
    auto average = torch::zeros({4}, torch::kFloat64);
    for (std::int64_t step = 1; step <= last; ++step) update_power_ema(average, weights_at(step), gamma, step);
    return average;
  }
  static torch::Tensor rebuilt(double sigma_rel, std::int64_t last, std::int64_t every) {
    std::vector<PowerProfile> stored;
    std::vector<torch::Tensor> averages;
    for (const double sigma : kStoredSigmaRel) {
      for (std::int64_t step = every; step <= kSteps; step += every) {
        stored.push_back({power_ema_exponent(sigma), static_cast<double>(step)});
        averages.push_back(average_after(stored.back().gamma, step));
      }
    }
    const auto factors = post_hoc_factors(stored, {power_ema_exponent(sigma_rel), static_cast<double>(last)});
    auto sum = torch::zeros({4}, torch::kFloat64);
    for (std::size_t i = 0; i < factors.size(); ++i) sum += factors[i] * averages[i];
    return sum;
  }
};

// The closed form of the average of w(t) = t over [0, T] with profile t^gamma: (gamma + 1) / (gamma + 2) T.
TEST_F(MadeUpTraining, AverageOfALineIsTheClosedForm) {
  for (const double gamma : {0.5, 6.94, 16.97})
    EXPECT_NEAR(average_after(gamma, kSteps)[3].item<double>(), (gamma + 1) / (gamma + 2), 2e-3);
}

TEST_F(MadeUpTraining, AnyWidthIsRebuiltFromTheTwoStored) {
  for (const double sigma : {0.03, 0.07, 0.13, 0.2}) {
    const auto direct = average_after(power_ema_exponent(sigma), kSteps);
    EXPECT_LT((rebuilt(sigma, kSteps, 100) - direct).abs().max().item<double>(), 0.01) << sigma;
  }
}

TEST_F(MadeUpTraining, AStoredAverageIsItself) {
  const auto direct = average_after(power_ema_exponent(0.10), kSteps);
  EXPECT_LT((rebuilt(0.10, kSteps, 500) - direct).abs().max().item<double>(), 1e-6);
}

TEST(EmaDecay, WarmsUpWhenAsked) {
  sweeps::TrainSpec train;
  EXPECT_EQ(ema_decay(train, 1), 0.9999);
  train.ema_warmup = true;
  EXPECT_DOUBLE_EQ(ema_decay(train, 1), 2.0 / 11.0);
  EXPECT_DOUBLE_EQ(ema_decay(train, 990), 991.0 / 1000.0);
  EXPECT_EQ(ema_decay(train, 1'000'000), 0.9999);
}

}  // namespace
}  // namespace ditscale::worker
