#include "worker/sampling/step_method.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "worker/diffusion/noise_schedule.hpp"

namespace ditscale::worker {
namespace {

using sweeps::ObjectiveKind;
using sweeps::ObjectiveSpec;
using sweeps::Prediction;
using sweeps::SamplerKind;
using torch::Tensor;

// Data of one Gaussian: the best possible model is known in closed form, and so is where its probability flow ends.
constexpr double kMean = 0.3, kDeviation = 0.5;

/// x = signal x_0 + deviation noise.
struct Place {
  double signal, deviation;
  [[nodiscard]] double spread() const {
    return std::sqrt(signal * signal * kDeviation * kDeviation + deviation * deviation);
  }
};

Place place_of(const ObjectiveSpec& objective, double model_time) {
  if (objective.kind == ObjectiveKind::kFlow) {
    const double t = model_time / static_cast<double>(objective.num_timesteps);
    return {1 - t, t};
  }
  const double alpha_bar = NoiseSchedule::make(objective).alpha_bar[static_cast<std::size_t>(model_time)];
  return {std::sqrt(alpha_bar), std::sqrt(1 - alpha_bar)};
}

/// The posterior means of noise and image given x, in the objective's terms.
AskModel best_model(const ObjectiveSpec& objective) {
  return [objective](const Tensor& x, double model_time) -> Tensor {
    const Place p = place_of(objective, model_time);
    const Tensor off = (x - p.signal * kMean) / (p.spread() * p.spread());
    const Tensor noise = p.deviation * off, x0 = kMean + p.signal * kDeviation * kDeviation * off;
    if (objective.kind == ObjectiveKind::kFlow) return noise - x0;
    if (objective.prediction == Prediction::kX0) return x0;
    if (objective.prediction == Prediction::kV) return p.signal * noise - p.deviation * x0;
    return noise;
  };
}

const StepNoise kNoNoise = [](std::uint32_t) -> Tensor { throw common::InternalError("no noise was expected"); };

Tensor start() { return torch::linspace(-2, 2, 64, torch::kFloat64).view({1, 1, 8, 8}); }

Tensor end_of(const ObjectiveSpec& objective, SamplerKind sampler, std::int64_t steps, const StepNoise& noise,
              const Tensor& from) {
  const auto method = make_step_method(objective, sampler, steps);
  EXPECT_EQ(method->num_steps(), steps);
  const AskModel ask = best_model(objective);
  SamplerState state{from, {}};
  for (std::int64_t i = 0; i < steps; ++i) state = method->step(i, state, ask, noise);
  return state.x;
}

/// Largest distance from the end of the exact probability flow.
double error_of(const ObjectiveSpec& objective, SamplerKind sampler, std::int64_t steps) {
  const Place first = place_of(objective, objective.kind == ObjectiveKind::kFlow ? 1000 : 999);
  const Tensor exact = kMean + kDeviation * (start() - first.signal * kMean) / first.spread();
  return (end_of(objective, sampler, steps, kNoNoise, start()) - exact).abs().max().item<double>();
}

ObjectiveSpec ddpm(Prediction prediction = Prediction::kNoise) {
  return {.learn_variance = false, .prediction = prediction};
}
ObjectiveSpec flow(double shift = 1.0) {
  return {.kind = ObjectiveKind::kFlow, .learn_variance = false, .shift = shift};
}

TEST(Euler, ConvergesToTheFlowsEndWithFirstOrder) {
  EXPECT_LT(error_of(flow(), SamplerKind::kEuler, 400), 5e-3);
  EXPECT_NEAR(error_of(flow(), SamplerKind::kEuler, 100) / error_of(flow(), SamplerKind::kEuler, 200), 2.0, 0.2);
}

TEST(Heun, ConvergesToTheFlowsEndWithSecondOrder) {
  EXPECT_LT(error_of(flow(), SamplerKind::kHeun, 100), 2e-4);
  EXPECT_NEAR(error_of(flow(), SamplerKind::kHeun, 100) / error_of(flow(), SamplerKind::kHeun, 200), 4.0, 0.5);
}

TEST(FlowSamplers, ConvergeOnShiftedTimesToo) {
  EXPECT_LT(error_of(flow(3.0), SamplerKind::kEuler, 400), 1e-2);
  EXPECT_LT(error_of(flow(3.0), SamplerKind::kHeun, 100), 3e-3);
}

TEST(Ddim, ConvergesToTheProbabilityFlowsEnd) {
  EXPECT_LT(error_of(ddpm(), SamplerKind::kDdim, 1000), 6e-3);
  EXPECT_NEAR(error_of(ddpm(), SamplerKind::kDdim, 50) / error_of(ddpm(), SamplerKind::kDdim, 100), 2.0, 0.4);
}

TEST(DpmSolver, IsFarAheadOfDdimAtTheSameSteps) {
  const auto ratio = [](std::int64_t steps) {
    return error_of(ddpm(), SamplerKind::kDpmSolver, steps) / error_of(ddpm(), SamplerKind::kDdim, steps);
  };
  EXPECT_LT(ratio(20), 0.5);
  EXPECT_LT(ratio(50), 0.05);
  EXPECT_LT(ratio(1000), 0.05);
}

class EachDdpmSampler : public testing::TestWithParam<SamplerKind> {};

TEST_P(EachDdpmSampler, TreatsEveryPredictionAlike) {
  const StepNoise noise = [](std::uint32_t step) {
    torch::manual_seed(step);
    return torch::randn({1, 1, 8, 8}, torch::kFloat64);
  };
  const Tensor expected = end_of(ddpm(), GetParam(), 20, noise, start());
  for (const Prediction prediction : {Prediction::kX0, Prediction::kV}) {
    EXPECT_TRUE(torch::allclose(end_of(ddpm(prediction), GetParam(), 20, noise, start()), expected, 1e-9, 1e-9))
        << sweeps::to_name(prediction);
  }
}

INSTANTIATE_TEST_SUITE_P(Samplers, EachDdpmSampler,
                         testing::Values(SamplerKind::kDdpm, SamplerKind::kDdim, SamplerKind::kDpmSolver),
                         [](const auto& each) { return std::string(sweeps::to_name(each.param)); });

class EachFixedVariance : public testing::TestWithParam<sweeps::FixedVariance> {};

TEST_P(EachFixedVariance, DrawsTheDataAtManySteps) {
  ObjectiveSpec objective = ddpm();
  objective.fixed_variance = GetParam();
  torch::manual_seed(11);
  const Tensor from = torch::randn({1, 1, 200, 200}, torch::kFloat64);
  const StepNoise noise = [](std::uint32_t) { return torch::randn({1, 1, 200, 200}, torch::kFloat64); };
  const Tensor x = end_of(objective, SamplerKind::kDdpm, 1000, noise, from);
  EXPECT_NEAR(x.mean().item<double>(), kMean, 5 * kDeviation / 200);
  // Steps of a thousandth leave a bias of about a hundredth.
  EXPECT_NEAR(x.std().item<double>(), kDeviation, 5 * kDeviation / 200 / std::sqrt(2) + 0.01);
}

INSTANTIATE_TEST_SUITE_P(Variances, EachFixedVariance,
                         testing::Values(sweeps::FixedVariance::kLarge, sweeps::FixedVariance::kSmall),
                         [](const auto& each) { return std::string(sweeps::to_name(each.param)); });

TEST(StepMethods, RefuseStepsThatTheObjectiveDoesNotHave) {
  EXPECT_THROW((void)make_step_method(ddpm(), SamplerKind::kDdim, 1001), common::ConfigError);
  EXPECT_THROW((void)make_step_method(ddpm(), SamplerKind::kDdim, 1), common::ConfigError);
  EXPECT_THROW((void)make_step_method(flow(), SamplerKind::kEuler, 0), common::ConfigError);
}

}  // namespace
}  // namespace ditscale::worker
