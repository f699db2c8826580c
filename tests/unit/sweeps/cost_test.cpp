#include "sweeps/spec/cost.hpp"

#include <gtest/gtest.h>

#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::sweeps {
namespace {

TrialSpec latent_trial() {
  TrialSpec trial;
  trial.data.space = DataSpace::kLatents;
  trial.data.image_size = 256;
  trial.data.channels = 4;
  trial.data.num_classes = 1000;
  trial.model.depth = 12;
  trial.model.width = 384;
  trial.model.heads = 6;
  trial.model.patch = 8;
  trial.train.steps = 1000;
  EvaluateSpec evaluate;
  evaluate.features = "inception";
  evaluate.num_samples = 10;
  evaluate.steps = 50;
  evaluate.every_steps = 400;
  trial.evaluate = {evaluate};
  return trial;
}

/// Convolutions and projections of the decoder, layer by layer.
TEST(Cost, CountsTheDecoderAndTheFeaturesOfEachSample) {
  const auto convolution = [](double pixels, double in, double out, double kernel = 3) {
    return pixels * in * out * kernel * kernel;
  };
  const auto resnet = [&](double pixels, double in, double out) {
    return convolution(pixels, in, out) + convolution(pixels, out, out) + (in == out ? 0 : pixels * in * out);
  };
  double pixels = 32 * 32;
  double macs = convolution(pixels, 4, 4, 1) + convolution(pixels, 4, 512) + 2 * resnet(pixels, 512, 512) +
                4 * pixels * 512 * 512 + 2 * pixels * pixels * 512;
  double in = 512;
  for (const double out : {512, 512, 256, 128}) {
    macs += resnet(pixels, in, out) + 2 * resnet(pixels, out, out);
    if (out != 128) pixels *= 4, macs += convolution(pixels, out, out);
    in = out;
  }
  macs += convolution(pixels, 128, 3);
  const TrialSpec trial = latent_trial();
  EXPECT_DOUBLE_EQ(helper_macs(trial, trial.evaluate[0]), 10 * (macs + 5.71e9));
  EXPECT_GT(helper_macs(trial, trial.evaluate[0]), 10 * sampling_macs(trial, trial.evaluate[0])) << "DiT-S/8 is small";
}

TEST(Cost, PredictsMoreSecondsWhereSamplesAreDecoded) {
  TrialSpec trial = latent_trial();
  const DeviceShare devices = devices_of(trial.resources);
  const double scored_s = time_of(trial, {}, devices).score_s[0];
  const double per_mac_s = 1 / devices.rates().macs_per_s("fp32");
  EXPECT_GE(scored_s, helper_macs(trial, trial.evaluate[0]) * per_mac_s);
}

TEST(Cost, SplitsTheSecondsOfATrial) {
  TrialSpec trial = latent_trial();
  EvaluateSpec guided = trial.evaluate[0];
  guided.guidance = 1.5;
  guided.features = "none";
  trial.evaluate.push_back(guided);
  const TrialTime time = time_of(trial, {}, devices_of(trial.resources));
  EXPECT_DOUBLE_EQ(predicted_s(trial), kStartUp_s + time.training_s + 3 * (time.score_s[0] + time.score_s[1]));
  const RooflineTime whole = roofline(trial, work_of(trial), devices_of(trial.resources));
  EXPECT_NEAR(predicted_s(trial), predicted_s(whole, {}), 1e-6 * predicted_s(trial));
}

}  // namespace
}  // namespace ditscale::sweeps
