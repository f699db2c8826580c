#include "worker/sampling/sampler.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "worker/diffusion/noise_schedule.hpp"
#include "worker/random/normal_batch.hpp"

namespace ditscale::worker {
namespace {

using sweeps::SamplerKind;

sweeps::ModelShape tiny_shape() {
  sweeps::ModelShape shape;
  shape.model = {.depth = 1, .width = 16, .heads = 2, .patch = 4, .mlp_ratio = 2.0, .class_dropout = 0.1};
  shape.input = {.size = 8, .channels = 1, .num_classes = 3};
  return shape;
}

/// Predicts noise 0 whatever it sees.
DiT silent_model(bool learn_variance = true) {
  sweeps::ModelShape shape = tiny_shape();
  shape.learn_variance = learn_variance;
  DiT model(shape);
  initialise(*model, 0);
  return model;
}

DiT noisy_model(bool learn_variance = true) {
  DiT model = silent_model(learn_variance);
  torch::manual_seed(2);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.normal_(0, 0.05);
  return model;
}

/// What a model of `label_model` answers for one label.
struct Answer {
  double noise;
  double variance;
};

/// Answers by the label alone: tokens are zero, the label's row is a unit vector, and so is the final layer's shift.
DiT label_model(const std::vector<Answer>& answers, bool learn_variance = true) {
  sweeps::ModelShape shape = tiny_shape();
  shape.learn_variance = learn_variance;
  DiT model(shape);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.zero_();
  for (auto& buffer : model->buffers()) buffer.zero_();
  auto weights = model->named_parameters();
  auto rows = weights["y_embedder.embedding_table.weight"];       // (labels, D)
  auto shift = weights["final_layer.adaLN_modulation.1.weight"];  // (2 D, D): shift, then scale
  auto linear = weights["final_layer.linear.weight"];             // (P P O, D)
  const double silu_of_one = 1.0 / (1.0 + std::exp(-1.0));
  for (std::int64_t label = 0; label < static_cast<std::int64_t>(answers.size()); ++label) {
    const auto& [noise, variance] = answers[static_cast<std::size_t>(label)];
    rows[label][label] = 1.0;
    shift[label][label] = 1.0 / silu_of_one;
    auto column = linear.select(1, label).view({-1, shape.out_channels()});  // (P P, O)
    column.select(1, 0).fill_(noise);
    if (learn_variance) column.select(1, 1).fill_(variance);
  }
  return model;
}

/// Largest difference, relative to the largest value expected.
double relative_error(const torch::Tensor& seen, const torch::Tensor& expected) {
  const auto wanted = expected.to(torch::kFloat64);
  return ((seen.to(torch::kFloat64) - wanted).abs().max() / wanted.abs().max()).item<double>();
}

const sweeps::ObjectiveSpec kObjective;
const NoiseSchedule kSchedule = NoiseSchedule::linear(1000);

// Cumulative products of the published schedule at its first and its last timestep.
constexpr double kFirstAlphaBar = 0.9999, kLastAlphaBar = 4.03582976537568e-05;

/// Start noise of samples 0, 1, … of seed 9, float64.
torch::Tensor start_noise(std::int64_t count) {
  return normal_batch(9, Purpose::kSampleStart, 0, count, {1, 8, 8}).to(torch::kFloat64);
}

/// One value for each image, (N, 1, 1, 1).
torch::Tensor per_image_f64(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64).view({-1, 1, 1, 1});
}

/// The x_0 that this noise implies at the last timestep.
torch::Tensor implied_x0(const torch::Tensor& start, const torch::Tensor& noise) {
  return (start - std::sqrt(1 - kLastAlphaBar) * noise) / std::sqrt(kLastAlphaBar);
}

TEST(Ddim, OfNoPredictedNoiseOnlyRescales) {
  const Sampler sampler(silent_model(), kObjective, {.sampler = SamplerKind::kDdim, .steps = 20, .seed = 9},
                        torch::kCPU);
  const auto labels = torch::zeros({4}, torch::kInt64);
  const auto start = normal_batch(9, Purpose::kSampleStart, 0, 4, {1, 8, 8});
  // Each step multiplies by sqrt(alpha_bar_previous / alpha_bar): the product telescopes.
  const auto expected = start / std::sqrt(kSchedule.alpha_bar[999]);
  EXPECT_TRUE(torch::allclose(sampler.sample(0, labels), expected, 1e-4));
}

// With constant noise e every step keeps x_0 = (x - sqrt(1 - alpha_bar) e) / sqrt(alpha_bar): the end is the start's.
TEST(Ddim, OfConstantNoiseEndsAtTheX0ThatItsStartImplies) {
  const DiT model = label_model({{0.8, 0}, {-0.5, 0}});
  const auto expected = implied_x0(start_noise(2), per_image_f64({0.8, -0.5}));
  for (const std::int64_t steps : {2, 3, 20}) {
    const Sampler sampler(model, kObjective, {.sampler = SamplerKind::kDdim, .steps = steps, .seed = 9}, torch::kCPU);
    EXPECT_LT(relative_error(sampler.sample(0, torch::arange(2)), expected), 2e-6) << steps << " steps";
  }
}

TEST(Ddim, AsksTheModelAtTheOriginalTimestepsAndStepsInClosedForm) {
  DiT model = noisy_model();
  const auto labels = torch::arange(2);
  const Sampler sampler(model, kObjective, {.sampler = SamplerKind::kDdim, .steps = 3, .seed = 9}, torch::kCPU);
  const torch::NoGradGuard no_grad;
  auto x = start_noise(2);
  const std::vector<std::size_t> timesteps{999, 500, 0};  // 499.5 rounds to even
  for (std::size_t i = 0; i < timesteps.size(); ++i) {
    const auto at = timesteps[i];
    const auto noise =
        model->forward(x.to(torch::kFloat32), torch::full({2}, static_cast<std::int64_t>(at), torch::kInt64), labels)
            .narrow(1, 0, 1)
            .to(torch::kFloat64);
    const double alpha_bar = kSchedule.alpha_bar[at];
    const double previous = i + 1 < timesteps.size() ? kSchedule.alpha_bar[timesteps[i + 1]] : 1.0;
    const auto x0 = (x - std::sqrt(1 - alpha_bar) * noise) / std::sqrt(alpha_bar);
    x = std::sqrt(previous) * x0 + std::sqrt(1 - previous) * noise;
  }
  EXPECT_LT(relative_error(sampler.sample(0, labels), x), 1e-4);
}

TEST(Guidance, MovesFromTheNullLabelsNoiseTowardsTheConditionalOne) {
  const double null = 0.2;
  const Sampler sampler(label_model({{0.3, 0}, {-0.7, 0}, {0.5, 0}, {null, 0}}), kObjective,
                        {.sampler = SamplerKind::kDdim, .steps = 5, .guidance = {.scale = 3.0}, .seed = 9},
                        torch::kCPU);
  const auto guided = null + 3.0 * (per_image_f64({0.3, -0.7, 0.5}) - null);
  EXPECT_LT(relative_error(sampler.sample(0, torch::arange(3)), implied_x0(start_noise(3), guided)), 2e-6);
}

struct TwoSteps {
  const char* name;
  bool learn_variance;
  double variance, null_variance, guidance;
  /// Share of log beta in the log variance, the rest being the posterior's.
  double fraction;
  sweeps::FixedVariance fixed_variance = sweeps::FixedVariance::kLarge;
};

class DdpmNoise : public testing::TestWithParam<TwoSteps> {};

// Two steps: the first from timestep 999 to 0 adds noise, the second adds none.
TEST_P(DdpmNoise, HasTheVarianceThatTheModelAsksFor) {
  const TwoSteps& p = GetParam();
  const double null = 0.2, conditional = -0.6, e = null + p.guidance * (conditional - null);
  const auto answer = Answer{conditional, p.variance}, null_answer = Answer{null, p.null_variance};
  const Sampler sampler(label_model({answer, answer, answer, null_answer}, p.learn_variance),
                        {.learn_variance = p.learn_variance, .fixed_variance = p.fixed_variance},
                        {.sampler = SamplerKind::kDdpm, .steps = 2, .guidance = {.scale = p.guidance}, .seed = 9},
                        torch::kCPU);
  const double beta = 1 - kLastAlphaBar / kFirstAlphaBar;
  const double posterior = beta * (1 - kFirstAlphaBar) / (1 - kLastAlphaBar);
  const double deviation = std::exp(0.5 * (p.fraction * std::log(beta) + (1 - p.fraction) * std::log(posterior)));

  const auto start = start_noise(3);
  const auto x0_weight = std::sqrt(kFirstAlphaBar) * beta / (1 - kLastAlphaBar);
  const auto xt_weight = std::sqrt(1 - beta) * (1 - kFirstAlphaBar) / (1 - kLastAlphaBar);
  const auto mean = x0_weight * implied_x0(start, torch::full({1}, e, torch::kFloat64)) + xt_weight * start;
  const auto added = normal_batch(9, Purpose::kSampleStep, 0, 3, {1, 8, 8}, 1).to(torch::kFloat64);
  const auto expected_noise = deviation * added / std::sqrt(kFirstAlphaBar);
  const auto noiseless = (mean - std::sqrt(1 - kFirstAlphaBar) * e) / std::sqrt(kFirstAlphaBar);

  const auto seen_noise = sampler.sample(0, torch::arange(3)).to(torch::kFloat64) - noiseless;
  // Samples reach several hundred: float32 leaves 1e-4 of the noise uncertain at the smallest deviation, 0.01.
  EXPECT_LT((seen_noise - expected_noise).abs().max().item<double>(), 5e-4) << p.name;
}

INSTANTIATE_TEST_SUITE_P(
    Variances, DdpmNoise,
    testing::Values(TwoSteps{"beta", true, 1, 1, 1, 1.0}, TwoSteps{"posterior", true, -1, -1, 1, 0},
                    TwoSteps{"halfway", true, 0, 0, 1, 0.5}, TwoSteps{"guided_beta", true, 1, -1, 4, 1.0},
                    TwoSteps{"guided_posterior", true, -1, 1, 4, 0}, TwoSteps{"fixed_large", false, 0, 0, 1, 1.0},
                    TwoSteps{"fixed_small", false, 0, 0, 1, 0.0, sweeps::FixedVariance::kSmall}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Ddpm, OfNoPredictedNoiseHasTheVarianceOfItsRecursion) {
  const Sampler sampler(silent_model(), kObjective, {.sampler = SamplerKind::kDdpm, .steps = 25, .seed = 9},
                        torch::kCPU);
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

class EachSampler : public testing::TestWithParam<SamplerKind> {
 protected:
  [[nodiscard]] static sweeps::ObjectiveSpec objective() {
    if (GetParam() != SamplerKind::kEuler && GetParam() != SamplerKind::kHeun) return kObjective;
    return {.kind = sweeps::ObjectiveKind::kFlow, .learn_variance = false};
  }
  [[nodiscard]] static Sampler sampler(double guidance) {
    return {noisy_model(objective().learn_variance),
            objective(),
            {.sampler = GetParam(), .steps = 10, .guidance = {.scale = guidance}, .seed = 1},
            torch::kCPU};
  }
};

TEST_P(EachSampler, ASampleDependsOnItsIndexNotOnItsBatch) {
  const Sampler guided = sampler(2.0);
  const auto many = guided.sample(0, guided.uniform_labels(0, 6));
  const auto few = guided.sample(3, guided.uniform_labels(3, 2));
  EXPECT_TRUE(torch::allclose(many.narrow(0, 3, 2), few, 1e-3, 1e-3));
}

TEST_P(EachSampler, GuidanceOfTheNullLabelChangesNothing) {
  const auto null_labels = torch::full({3}, 3, torch::kInt64);
  EXPECT_TRUE(torch::allclose(sampler(1.0).sample(0, null_labels), sampler(4.0).sample(0, null_labels), 1e-3, 1e-3));
}

TEST_P(EachSampler, OfTheOtherObjectiveIsRefused) {
  const bool flow = objective().kind == sweeps::ObjectiveKind::kFlow;
  const sweeps::ObjectiveSpec other{.kind = flow ? sweeps::ObjectiveKind::kDdpm : sweeps::ObjectiveKind::kFlow};
  EXPECT_THROW(make_step_method(other, GetParam(), 10), common::ConfigError);
}

INSTANTIATE_TEST_SUITE_P(Samplers, EachSampler,
                         testing::Values(SamplerKind::kDdpm, SamplerKind::kDdim, SamplerKind::kDpmSolver,
                                         SamplerKind::kEuler, SamplerKind::kHeun),
                         [](const auto& each) { return std::string(sweeps::to_name(each.param)); });

TEST(Sampler, LabelsAreUniformAndKnown) {
  const Sampler sampler(silent_model(), kObjective, {.sampler = SamplerKind::kDdim, .steps = 2}, torch::kCPU);
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
