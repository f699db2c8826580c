#include <string>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/kernels/adamw_ema.hpp"
#include "worker/sampling/sampler.hpp"
#include "worker/training/train_step.hpp"

namespace ditscale::worker {
namespace {

using sweeps::BlockDesign;

/// Relative room for float32 on two devices: sums in another order leave about 1e-6; the timestep's angles, up to 999
/// radians off a float32 exponential, about 1e-5; products in TF32, were they on, would leave 1e-3.
constexpr double kFloat32Room = 1e-4;
/// bf16 keeps 8 bits, 4e-3 a rounding; some tens of them in a row.
constexpr double kBf16Room = 5e-2;

/// The same work on a GPU and on the processor.
class OnTheGpu : public testing::Test {
 protected:
  void SetUp() override {
#ifndef DITSCALE_HAVE_CUDA
    GTEST_SKIP() << "built without CUDA";
#else
    if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device is visible";
#endif
  }
  const torch::Device gpu_{torch::kCUDA, 0};
};

/// |a - b| / |b| over all elements, in float64.
double relative_difference(const torch::Tensor& a, const torch::Tensor& b) {
  const auto seen = a.to(torch::kCPU, torch::kFloat64), expected = b.to(torch::kCPU, torch::kFloat64);
  return ((seen - expected).norm() / expected.norm()).item<double>();
}

sweeps::TrialSpec small_trial(BlockDesign block) {
  sweeps::TrialSpec trial;
  trial.model = {
      .depth = 2, .width = 64, .heads = 2, .patch = 7, .block = block, .mlp_ratio = 2.0, .class_dropout = 0.1};
  trial.train.global_batch = 16;
  return trial;
}

/// One trial on one device, its weights drawn at random: the published start has zeros that hide most gradients.
struct Trainee {
  Trainee(const sweeps::TrialSpec& t, torch::Device device, Precision precision)
      : trial(t), state(trial.shape(), 0, device), step(trial, source, alone, state, precision) {
    torch::manual_seed(5);
    const auto weights = torch::randn({state.weights.numel()}) * 0.1;
    state.weights.copy_(weights);
    state.ema.copy_(weights);
  }

  static ImageSet made_up_images() {
    torch::manual_seed(1);
    return {torch::randint(0, 256, {40, 1, 28, 28}, torch::kUInt8), torch::randint(0, 10, {40}, torch::kInt64),
            "made up"};
  }

  sweeps::TrialSpec trial;
  ImageSet images = made_up_images();
  BatchSource source{images, trial};
  SingleProcess alone;
  TrainState state;
  TrainStep step;
};

TEST_F(OnTheGpu, AdamWAgreesWithTheProcessor) {
  constexpr std::int64_t kCount = (std::int64_t{1} << 21) + 3;  // more than one element for each thread of the grid
  torch::manual_seed(0);
  const auto weights = torch::randn({kCount});
  struct Buffers {
    torch::Tensor weights, moment1, moment2, ema;
  };
  const auto buffers_on = [&](torch::Device device) {
    const auto w = weights.to(device, torch::kFloat32, false, true);
    return Buffers{w, torch::zeros_like(w), torch::zeros_like(w), w.clone()};
  };
  Buffers here = buffers_on(torch::kCPU), there = buffers_on(gpu_);
  for (std::int64_t step = 1; step <= 5; ++step) {
    const auto gradient = torch::randn({kCount});
    const AdamWStep update{.lr = 1e-2, .weight_decay = 0.1, .ema_decay = 0.9, .gradient_scale = 0.5, .step = step};
    adamw_ema(here.weights, gradient, here.moment1, here.moment2, here.ema, update);
    adamw_ema(there.weights, gradient.to(gpu_), there.moment1, there.moment2, there.ema, update);
  }
  // The same float32 formula; only fused multiply-adds may differ, by a unit or so (6e-8, relative) in each step.
  const auto expect_close = [](const torch::Tensor& seen, const torch::Tensor& expected) {
    EXPECT_TRUE(torch::allclose(seen.to(torch::kCPU), expected, 2e-6, 1e-6));
  };
  expect_close(there.weights, here.weights);
  expect_close(there.moment1, here.moment1);
  expect_close(there.moment2, here.moment2);
  expect_close(there.ema, here.ema);
}

class EachDesignOnTheGpu : public OnTheGpu, public testing::WithParamInterface<BlockDesign> {};

TEST_P(EachDesignOnTheGpu, ATrainingStepHasTheLossAndTheGradientsOfTheProcessor) {
  const sweeps::TrialSpec trial = small_trial(GetParam());
  Trainee here(trial, torch::kCPU, Precision::kFp32), there(trial, gpu_, Precision::kFp32);
  const StepResult expected = here.step.run(false), seen = there.step.run(false);
  EXPECT_NEAR(seen.loss, expected.loss, kFloat32Room * expected.loss);
  EXPECT_NEAR(seen.loss_vlb, expected.loss_vlb, kFloat32Room * expected.loss);
  EXPECT_LT(relative_difference(there.state.gradients, here.state.gradients), kFloat32Room);
}

TEST_P(EachDesignOnTheGpu, TrainingTwiceGivesTheSameBits) {
  sweeps::TrialSpec trial = small_trial(GetParam());
  trial.model.patch = 2;  // 196 tokens: several blocks of an attention kernel add to one gradient
  for (const Precision precision : {Precision::kFp32, choose_precision("auto", gpu_)}) {
    const auto trained = [&] {
      Trainee trainee(trial, gpu_, precision);
      for (int step = 0; step < 10; ++step) EXPECT_TRUE(trainee.step.run(false).finite());
      return trainee.state.weights.cpu();
    };
    EXPECT_TRUE(torch::equal(trained(), trained())) << to_name(precision);
  }
}

INSTANTIATE_TEST_SUITE_P(Designs, EachDesignOnTheGpu,
                         testing::Values(BlockDesign::kAdaLnZero, BlockDesign::kAdaLn, BlockDesign::kCrossAttention,
                                         BlockDesign::kInContext),
                         [](const auto& design) { return std::string(sweeps::to_name(design.param)); });

class EachSamplerOnTheGpu : public OnTheGpu, public testing::WithParamInterface<sweeps::SamplerKind> {};

TEST_P(EachSamplerOnTheGpu, SamplesAreThoseOfTheProcessor) {
  sweeps::TrialSpec trial = small_trial(BlockDesign::kAdaLnZero);
  if (GetParam() == sweeps::SamplerKind::kEuler || GetParam() == sweeps::SamplerKind::kHeun)
    trial.objective = {.kind = sweeps::ObjectiveKind::kFlow, .learn_variance = false};
  const auto samples_on = [&](torch::Device device) {
    const Trainee trained(trial, device, Precision::kFp32);
    const SamplerSettings settings{.sampler = GetParam(), .steps = 10, .guidance = {.scale = 2.0}, .seed = 4};
    const Sampler sampler(trained.state.ema_model, trial.objective, settings, device);
    return sampler.sample(0, sampler.uniform_labels(0, 8));
  };
  // Noise and labels are drawn on the processor for both. The first step divides all by 0.006, sample and error alike.
  EXPECT_LT(relative_difference(samples_on(gpu_), samples_on(torch::kCPU)), kFloat32Room);
}

INSTANTIATE_TEST_SUITE_P(Samplers, EachSamplerOnTheGpu,
                         testing::Values(sweeps::SamplerKind::kDdpm, sweeps::SamplerKind::kDdim,
                                         sweeps::SamplerKind::kDpmSolver, sweeps::SamplerKind::kEuler,
                                         sweeps::SamplerKind::kHeun),
                         [](const auto& sampler) { return std::string(sweeps::to_name(sampler.param)); });

TEST_F(OnTheGpu, Bf16StaysCloseToFloat32) {
  if (choose_precision("auto", gpu_) != Precision::kBf16) GTEST_SKIP() << device_name(gpu_) << " does not compute bf16";
  const sweeps::TrialSpec trial = small_trial(BlockDesign::kAdaLnZero);
  Trainee full(trial, gpu_, Precision::kFp32), half(trial, gpu_, Precision::kBf16);
  const auto t = torch::tensor({3, 400, 999}, torch::dtype(torch::kInt64).device(gpu_));
  const auto labels = torch::tensor({0, 7, 10}, torch::dtype(torch::kInt64).device(gpu_));
  torch::manual_seed(6);
  const auto x = torch::randn({3, 1, 28, 28}).to(gpu_);
  const auto output_in = [&](Precision precision) {
    const torch::NoGradGuard no_grad;
    const PrecisionScope scope(precision, gpu_);
    return full.state.model->forward(x, t, labels);
  };
  const auto output = output_in(Precision::kBf16);
  EXPECT_EQ(output.scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(torch::isfinite(output).all().item<bool>());
  EXPECT_LT(relative_difference(output, output_in(Precision::kFp32)), kBf16Room);

  const StepResult expected = full.step.run(false), seen = half.step.run(false);
  EXPECT_TRUE(seen.finite());
  EXPECT_NEAR(seen.loss, expected.loss, kBf16Room * expected.loss);
}

TEST_F(OnTheGpu, WeightsAreWrittenAsTheyAre) {
  const sweeps::TrialSpec trial = small_trial(BlockDesign::kAdaLnZero);
  const Trainee trainee(trial, gpu_, Precision::kFp32);
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder / "weights.h5";
  write_weights_file(file, {trial.to_json(), 1, nullptr}, trainee.state.layout, trainee.state.ema);
  EXPECT_TRUE(torch::equal(read_flat_weights(file, trainee.state.layout, "ema"), trainee.state.ema.cpu()));
}

}  // namespace
}  // namespace ditscale::worker
