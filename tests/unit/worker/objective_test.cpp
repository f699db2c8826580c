#include "worker/diffusion/objective.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/unit/worker/learns_fashion_mnist.hpp"
#include "worker/diffusion/ddpm_objective.hpp"
#include "worker/diffusion/flow_objective.hpp"
#include "worker/diffusion/noise_schedule.hpp"
#include "worker/diffusion/training_times.hpp"
#include "worker/random/philox.hpp"

namespace ditscale::worker {
namespace {

using sweeps::NoiseScheduleKind;
using sweeps::ObjectiveKind;
using sweeps::ObjectiveSpec;
using sweeps::Prediction;

TEST(CosineSchedule, FollowsTheSquaredCosine) {
  const NoiseSchedule s = NoiseSchedule::make({.schedule = NoiseScheduleKind::kCosine});
  const auto squared = [](double u) { return std::pow(std::cos((u + 0.008) / 1.008 * std::acos(-1.0) / 2), 2); };
  for (const std::size_t t : {0U, 1U, 100U, 500U, 900U, 990U}) {
    const double expected = squared((static_cast<double>(t) + 1) / 1000) / squared(0);
    EXPECT_NEAR(s.alpha_bar[t] / expected, 1.0, 1e-10) << t;
  }
  EXPECT_EQ(s.beta[999], 0.999);
}

TEST(ShiftedSchedule, DividesEverySignalToNoiseRatioByTheSquare) {
  for (const auto kind : {NoiseScheduleKind::kLinear, NoiseScheduleKind::kCosine}) {
    const NoiseSchedule plain = NoiseSchedule::make({.schedule = kind});
    const NoiseSchedule shifted = NoiseSchedule::make({.schedule = kind, .shift = 3.0});
    for (const std::size_t t : {0U, 1U, 10U, 500U, 999U}) {
      EXPECT_NEAR(shifted.signal_to_noise(t) * 9 / plain.signal_to_noise(t), 1.0, 1e-9) << t;
    }
  }
}

TEST(ShiftedSchedule, OfOneChangesNoBit) {
  EXPECT_EQ(NoiseSchedule::make({.shift = 1.0}).alpha_bar, NoiseSchedule::linear(1000).alpha_bar);
}

TEST(RespacedAboveZero, LeavesOutTheFirstTimestepUnlessAllAreAskedFor) {
  const NoiseSchedule full = NoiseSchedule::linear(1000), few = full.respaced_above_zero(4);
  EXPECT_EQ(few.timestep, (std::vector<std::int64_t>{250, 500, 749, 999}));  // 249.75, 499.5 to even, 749.25, 999
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(few.alpha_bar[i], full.alpha_bar[static_cast<std::size_t>(few.timestep[i])], 1e-12);
  EXPECT_EQ(full.respaced_above_zero(999).timestep.front(), 1);
  EXPECT_EQ(full.respaced_above_zero(1000).timestep, full.timestep);
}

/// Noise, image and noisy image at a few timesteps.
struct Noised {
  explicit Noised(const Objective& objective, const torch::Tensor& times) : t(times) {
    torch::manual_seed(3);
    noise = torch::randn({t.size(0), 1, 4, 4});
    x0 = torch::rand_like(noise) * 2 - 1;
    xt = objective.add_noise(x0, noise, t);
  }
  torch::Tensor t, noise, x0, xt;
};

torch::Tensor per_image(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat32).view({-1, 1, 1, 1});
}

class EachPrediction : public testing::TestWithParam<Prediction> {
 protected:
  [[nodiscard]] static ObjectiveSpec spec() { return {.prediction = GetParam()}; }
  /// What a model that knows noise and image would answer, from the definitions (Salimans & Ho 2022).
  [[nodiscard]] torch::Tensor perfect(const Noised& n) const {
    if (GetParam() == Prediction::kNoise) return n.noise;
    if (GetParam() == Prediction::kX0) return n.x0;
    std::vector<double> signal, deviation;
    for (std::int64_t i = 0; i < n.t.size(0); ++i) {
      const double alpha_bar = schedule_.alpha_bar[static_cast<std::size_t>(n.t[i].item<std::int64_t>())];
      signal.push_back(std::sqrt(alpha_bar));
      deviation.push_back(std::sqrt(1 - alpha_bar));
    }
    return per_image(signal) * n.noise - per_image(deviation) * n.x0;
  }
  const NoiseSchedule schedule_ = NoiseSchedule::linear(1000);
  const torch::Tensor times_ = torch::tensor({1, 50, 400, 900}, torch::kInt64);
};

TEST_P(EachPrediction, OfAPerfectModelHasNoErrorAndTheBoundOfAPerfectMean) {
  const DdpmObjective objective(spec(), torch::kCPU), usual(ObjectiveSpec{}, torch::kCPU);
  const Noised n(objective, times_);
  const auto variance = torch::zeros_like(n.noise);
  const DiffusionLoss loss = objective.loss(torch::cat({perfect(n), variance}, 1), n.x0, n.xt, n.noise, n.t);
  EXPECT_LT(loss.simple.abs().max().item<double>(), 1e-10);
  const auto expected = usual.variational_bits(n.noise, variance, n.x0, n.xt, n.t);
  EXPECT_TRUE(torch::allclose(loss.vlb, expected, 2e-2, 1e-7)) << loss.vlb << expected;
}

TEST_P(EachPrediction, ImpliesTheImageAndTheNoise) {
  const DdpmObjective objective(spec(), torch::kCPU);
  const Noised n(objective, times_);
  const auto answer = perfect(n);
  for (std::int64_t i = 0; i < n.t.size(0); ++i) {
    const double a = schedule_.alpha_bar[static_cast<std::size_t>(n.t[i].item<std::int64_t>())];
    const NoiseLevel<double> level{std::sqrt(a), std::sqrt(1 - a), std::sqrt(1 / a), std::sqrt(1 / a - 1)};
    EXPECT_TRUE(torch::allclose(implied_x0(GetParam(), level, n.xt[i], answer[i]), n.x0[i], 1e-4, 1e-4));
    EXPECT_TRUE(torch::allclose(implied_noise(GetParam(), level, n.xt[i], answer[i]), n.noise[i], 1e-4, 1e-4));
  }
}

TEST_P(EachPrediction, UnderMinSnrHasItsErrorInTermsOfTheImageClipped) {
  ObjectiveSpec weighted = spec();
  weighted.min_snr_gamma = 5.0;
  weighted.learn_variance = false;
  const DdpmObjective objective(weighted, torch::kCPU);
  const Noised n(objective, times_);
  // An image wrong by 0.1 everywhere, in the model's terms: the weighted error must be min(SNR, 5) · 0.01.
  const auto signal = [&](std::size_t t) { return std::sqrt(schedule_.alpha_bar[t]); };
  const auto deviation = [&](std::size_t t) { return std::sqrt(1 - schedule_.alpha_bar[t]); };
  std::vector<double> shift, expected;
  for (const std::size_t t : {1U, 50U, 400U, 900U}) {
    const double of_noise = -signal(t) / deviation(t), of_v = signal(t) * of_noise - deviation(t);
    shift.push_back(0.1 * (GetParam() == Prediction::kX0 ? 1.0 : GetParam() == Prediction::kNoise ? of_noise : of_v));
    expected.push_back(std::min(std::pow(signal(t) / deviation(t), 2), 5.0) * 0.01);
  }
  const DiffusionLoss loss = objective.loss(perfect(n) + per_image(shift), n.x0, n.xt, n.noise, n.t);
  EXPECT_TRUE(torch::allclose(loss.total, per_image(expected).flatten(), 1e-3, 1e-6)) << loss.total;
  EXPECT_TRUE(torch::allclose(loss.simple, per_image(shift).square().flatten(), 1e-3, 1e-6)) << loss.simple;
}

INSTANTIATE_TEST_SUITE_P(Predictions, EachPrediction,
                         testing::Values(Prediction::kNoise, Prediction::kX0, Prediction::kV),
                         [](const auto& each) { return std::string(sweeps::to_name(each.param)); });

const ObjectiveSpec kFlow{.kind = ObjectiveKind::kFlow, .learn_variance = false};

TEST(Flow, GoesStraightFromTheImageToTheNoise) {
  const auto objective = make_objective(kFlow, torch::kCPU);
  const Noised n(*objective, torch::tensor({0.0F, 0.25F, 1.0F}));
  EXPECT_TRUE(torch::equal(n.xt[0], n.x0[0]));
  EXPECT_TRUE(torch::allclose(n.xt[1], 0.75 * n.x0[1] + 0.25 * n.noise[1]));
  EXPECT_TRUE(torch::equal(n.xt[2], n.noise[2]));
  EXPECT_TRUE(torch::equal(objective->model_time(n.t), torch::tensor({0.0F, 250.0F, 1000.0F})));
  const DiffusionLoss loss = objective->loss(n.noise - n.x0 + 0.5, n.x0, n.xt, n.noise, n.t);
  EXPECT_TRUE(torch::allclose(loss.total, torch::full({3}, 0.25)));
  EXPECT_FALSE(loss.vlb.defined());
}

TEST(TrainingTimes, OfADdpmAreTheStreamsWholeNumbers) {
  const auto t = training_times({}, 7, 100, 50);
  for (std::int64_t i = 0; i < 50; ++i) {
    const PhiloxStream stream(7, Purpose::kTimestep, static_cast<std::uint64_t>(100 + i));
    EXPECT_EQ(t[i].item<std::int64_t>(), stream.below(1000));
  }
}

constexpr std::int64_t kMany = 20'000;

TEST(TrainingTimes, OfAFlowAreUniform) {
  const auto t = training_times(kFlow, 7, 0, kMany).to(torch::kFloat64);
  const double room = 5 / std::sqrt(static_cast<double>(kMany));
  EXPECT_NEAR(t.mean().item<double>(), 0.5, room * std::sqrt(1.0 / 12));
  EXPECT_NEAR(t.square().mean().item<double>(), 1.0 / 3, room * std::sqrt(4.0 / 45));
  EXPECT_GE(t.min().item<double>(), 0.0);
  EXPECT_LT(t.max().item<double>(), 1.0);
}

TEST(TrainingTimes, OfALogitNormalFlowHaveNormalLogits) {
  ObjectiveSpec spec = kFlow;
  spec.time = sweeps::FlowTime::kLogitNormal;
  spec.time_mean = -0.4;
  spec.time_deviation = 1.2;
  const auto logit = torch::logit(training_times(spec, 7, 0, kMany).to(torch::kFloat64));
  const double room = 5 / std::sqrt(static_cast<double>(kMany));
  EXPECT_NEAR(logit.mean().item<double>(), -0.4, room * 1.2);
  EXPECT_NEAR(logit.std().item<double>(), 1.2, room * 1.2);
  EXPECT_NEAR(((logit + 0.4) / 1.2).pow(4).mean().item<double>(), 3.0, room * std::sqrt(96.0));
}

TEST(TrainingTimes, OfAShiftedFlowHaveTheirSignalToNoiseRatioDividedByTheSquare) {
  ObjectiveSpec spec = kFlow;
  spec.shift = 3.0;
  const auto snr = [](const torch::Tensor& t) { return ((1 - t) / t).square(); };
  const auto plain = training_times(kFlow, 7, 0, 500).to(torch::kFloat64);
  const auto shifted = training_times(spec, 7, 0, 500).to(torch::kFloat64);
  EXPECT_TRUE(torch::allclose(snr(shifted) * 9, snr(plain), 1e-3, 1e-9));
}

struct NamedObjective {
  const char* name;
  ObjectiveSpec spec;
};

class EachObjective : public testing::TestWithParam<NamedObjective> {};

TEST_P(EachObjective, LearnsFashionMnist) {
  sweeps::TrialSpec trial;
  trial.model = {.depth = 2, .width = 64, .heads = 2, .patch = 7, .mlp_ratio = 2.0, .class_dropout = 0.1};
  trial.objective = GetParam().spec;
  expect_learns_fashion_mnist(trial);
}

INSTANTIATE_TEST_SUITE_P(
    Objectives, EachObjective,
    testing::Values(
        NamedObjective{"noise", {}}, NamedObjective{"fixed_large", {.learn_variance = false}},
        NamedObjective{"x0", {.prediction = Prediction::kX0}}, NamedObjective{"v", {.prediction = Prediction::kV}},
        NamedObjective{"noise_min_snr", {.min_snr_gamma = 5.0}},
        NamedObjective{"x0_min_snr", {.prediction = Prediction::kX0, .min_snr_gamma = 5.0}},
        NamedObjective{"v_min_snr", {.prediction = Prediction::kV, .min_snr_gamma = 5.0}},
        NamedObjective{"cosine", {.schedule = NoiseScheduleKind::kCosine}}, NamedObjective{"shifted", {.shift = 2.0}},
        NamedObjective{"flow", kFlow},
        NamedObjective{"flow_logit_normal",
                       {.kind = ObjectiveKind::kFlow, .learn_variance = false, .time = sweeps::FlowTime::kLogitNormal}},
        NamedObjective{"flow_shifted", {.kind = ObjectiveKind::kFlow, .learn_variance = false, .shift = 2.0}}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace ditscale::worker
