#include "worker/sampling/guided_model.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "worker/sampling/sampler.hpp"

namespace ditscale::worker {
namespace {

using torch::Tensor;

constexpr std::int64_t kClasses = 3;

sweeps::ModelShape shape_of_four_channels(double class_dropout = 0.1) {
  sweeps::ModelShape shape;
  shape.model.class_dropout = class_dropout;
  shape.input = {.size = 2, .channels = 4, .num_classes = kClasses};
  return shape;
}

/// Answers its label in the prediction's channels and 10 + its label in the variance's.
Tensor answer_label(const Tensor& x, const Tensor& /*t*/, const Conditions& conditions) {
  const auto value = conditions.labels.to(torch::kFloat32).view({-1, 1, 1, 1}).expand_as(x);
  return torch::cat({value, value + 10}, 1);
}

Tensor answer_seven(const Tensor& x, const Tensor& /*t*/, const Conditions& /*conditions*/) {
  return torch::full({x.size(0), 4, 2, 2}, 7.0F);
}

GuidedModel guided(const Guidance& guidance, Network guide = {}) {
  return {answer_label, std::move(guide), shape_of_four_channels(), guidance, 1000};
}

/// The eight channels of one image with label 1.
std::vector<float> channels(const GuidedModel& model, double time) {
  const Tensor out = model.output(torch::zeros({1, 4, 2, 2}), time, {torch::ones({1}, torch::kInt64), {}});
  const Tensor first = out.select(3, 0).select(2, 0).flatten().contiguous();
  return {first.data_ptr<float>(), first.data_ptr<float>() + first.numel()};
}

TEST(GuidedModel, MovesAwayFromTheNullLabelButForTheVariance) {
  // 3 + 2.5 (1 - 3) = -2.
  EXPECT_EQ(channels(guided({.scale = 2.5}), 500), (std::vector<float>{-2, -2, -2, -2, 11, 11, 11, 11}));
}

TEST(GuidedModel, GuidesTheFirstChannelsOnlyWhenAsked) {
  EXPECT_EQ(channels(guided({.scale = 2.5, .channels = 3}), 500), (std::vector<float>{-2, -2, -2, 1, 11, 11, 11, 11}));
}

TEST(GuidedModel, GuidesWithinItsIntervalAndAsksTheNullLabelThereOnly) {
  const GuidedModel model = guided({.scale = 2.5, .from = 0.2, .to = 0.6});
  for (const double outside : {100.0, 199.0, 601.0, 999.0}) EXPECT_EQ(channels(model, outside)[0], 1) << outside;
  EXPECT_EQ(model.evaluated().model, 4);
  for (const double inside : {200.0, 400.0, 600.0}) EXPECT_EQ(channels(model, inside)[0], -2) << inside;
  EXPECT_EQ(model.evaluated().model, 4 + 3 * 2);
}

TEST(GuidedModel, MovesAwayFromAWeakerModelWhenThereIsOne) {
  const GuidedModel model = guided({.scale = 2.0}, answer_seven);
  // 7 + 2 (1 - 7) = -5.
  EXPECT_EQ(channels(model, 500), (std::vector<float>{-5, -5, -5, -5, 11, 11, 11, 11}));
  EXPECT_EQ(model.evaluated().model, 1);
  EXPECT_EQ(model.evaluated().guide, 1);
}

TEST(GuidedModel, OfScaleOneAsksTheModelAlone) {
  const GuidedModel model = guided({.scale = 1.0}, answer_seven);
  EXPECT_EQ(channels(model, 500)[0], 1);
  EXPECT_EQ(model.evaluated().model, 1);
  EXPECT_EQ(model.evaluated().guide, 0);
}

TEST(GuidedModel, WithoutANullLabelNeedsAGuide) {
  const sweeps::ModelShape shape = shape_of_four_channels(0.0);
  EXPECT_THROW((GuidedModel{answer_label, {}, shape, {.scale = 2.0}, 1000}), common::ConfigError);
  EXPECT_NO_THROW((GuidedModel{answer_label, answer_seven, shape, {.scale = 2.0}, 1000}));
}

TEST(GuidedModel, RefusesMoreChannelsThanThereAre) {
  EXPECT_THROW(guided({.scale = 2.0, .channels = 5}), common::ConfigError);
}

struct Work {
  sweeps::SamplerKind sampler;
  std::int64_t expected;
};

TEST(Sampler, CountsTheImagesThatWentThroughTheModel) {
  const sweeps::ObjectiveSpec ddpm, flow{.kind = sweeps::ObjectiveKind::kFlow};
  using sweeps::SamplerKind;
  for (const auto& [sampler, expected] :
       {Work{SamplerKind::kDdpm, 20}, Work{SamplerKind::kDdim, 20}, Work{SamplerKind::kDpmSolver, 20},
        Work{SamplerKind::kEuler, 20}, Work{SamplerKind::kHeun, 38}}) {  // 10 steps of 2 images; Heun 2 · 10 - 1
    const bool flows = sampler == SamplerKind::kEuler || sampler == SamplerKind::kHeun;
    sweeps::ModelShape shape = shape_of_four_channels();
    shape.learn_variance = !flows;
    const Network network = [&](const torch::Tensor& x, const torch::Tensor& t, const Conditions& conditions) {
      return answer_label(x, t, conditions).narrow(1, 0, shape.out_channels());
    };
    const Sampler drawer(network, {}, shape, flows ? flow : ddpm, {.sampler = sampler, .steps = 10}, torch::kCPU);
    (void)drawer.sample(0, torch::zeros({2}, torch::kInt64));
    EXPECT_EQ(drawer.evaluated().model, expected) << sweeps::to_name(sampler);
  }
}

}  // namespace
}  // namespace ditscale::worker
