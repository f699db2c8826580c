#include "worker/model/mup.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "worker/kernels/adamw_ema.hpp"
#include "worker/model/dit.hpp"
#include "worker/training/lr_runs.hpp"
#include "worker/training/train_state.hpp"

namespace ditscale::worker {
namespace {

using sweeps::ModelShape;

constexpr std::int64_t kBase = 32;

ModelShape shape_of(std::int64_t width, bool mup) {
  ModelShape shape;
  shape.model.depth = 3;
  shape.model.width = width;
  shape.model.heads = 2;
  shape.model.patch = 4;
  if (mup) shape.model.mup_base_width = kBase;
  shape.input = {.size = 16, .channels = 1, .num_classes = 4};
  return shape;
}

/// Root mean square of the output after a few steps of Adam on a fixed target.
double output_scale(std::int64_t width, bool mup, std::uint64_t seed) {
  TrainState state(shape_of(width, mup), seed, torch::kCPU);
  torch::manual_seed(2);
  const auto x = torch::randn({8, 1, 16, 16}), target = torch::randn({8, 2, 16, 16});
  const auto t = torch::randint(0, 1000, {8}, torch::kInt64), y = torch::randint(0, 4, {8}, torch::kInt64);
  AdamWStep step;
  for (step.step = 1; step.step <= 4; ++step.step) {
    state.gradients.zero_();
    (state.model->forward(x, t, y) - target).square().mean().backward();
    for (const LrRun& run : lr_runs(state.layout, state.model->shape().model)) {
      const auto part = [&](const torch::Tensor& b) { return b.narrow(0, run.begin, run.end - run.begin); };
      step.lr = 0.01 * run.factor;
      adamw_ema(part(state.weights), part(state.gradients), part(state.moment1), part(state.moment2), part(state.ema),
                step);
    }
  }
  const torch::NoGradGuard no_grad;
  return state.model->forward(x, t, y).square().mean().sqrt().item<double>();
}

/// Slope of log output scale over log width: the coordinate check of Yang et al. 2022, section D.1.
double growth(bool mup) {
  double sum = 0, count = 0;
  for (const std::uint64_t seed : {1, 2}) {
    sum += std::log(output_scale(8 * kBase, mup, seed) / output_scale(kBase, mup, seed)) / std::log(8.0);
    count += 1;
  }
  return sum / count;
}

TEST(Mup, CoordinateCheckIsFlatOverWidths) {
  const double standard = growth(false), mup = growth(true);
  EXPECT_GT(standard, 0.5);
  EXPECT_LT(std::abs(mup), 0.15);
  RecordProperty("standard", std::to_string(standard));
  RecordProperty("mup", std::to_string(mup));
}

TEST(Mup, AtTheBaseWidthNothingChanges) {
  TrainState plain(shape_of(kBase, false), 1, torch::kCPU), mup(shape_of(kBase, true), 1, torch::kCPU);
  EXPECT_TRUE(torch::equal(plain.weights, mup.weights));
  EXPECT_DOUBLE_EQ(attention_scale(shape_of(kBase, false).model), attention_scale(shape_of(kBase, true).model));
  EXPECT_EQ(lr_runs(mup.layout, mup.model->shape().model).size(), 1U);
}

TEST(Mup, HiddenMatricesAloneLearnSlower) {
  const TrainState state(shape_of(5 * kBase, true), 1, torch::kCPU);  // 160: the 256 timestep features are no multiple
  const auto& model = state.model->shape().model;
  for (const ParameterSlot& slot : state.layout.slots()) {
    const bool grows = slot.shape.size() == 2 && slot.shape[1] % model.width == 0;  // inputs: the width, or the MLP's
    EXPECT_EQ(lr_factor(model, slot.name, slot.shape),
              grows && slot.name != "y_embedder.embedding_table.weight" ? 0.2 : 1.0)
        << slot.name;
  }
  std::int64_t end = 0;
  for (const LrRun& run : lr_runs(state.layout, model)) {
    EXPECT_EQ(run.begin, end);
    end = run.end;
  }
  EXPECT_EQ(end, state.layout.size());
}

TEST(Mup, AttentionIsScaledByTheHeadsWidth) {
  sweeps::ModelSpec model = shape_of(4 * kBase, true).model;
  EXPECT_DOUBLE_EQ(attention_scale(model), std::sqrt(16.0) / 64.0);  // 2 heads of 16 at the base, of 64 here
  model.heads = 8;
  model.mup_base_heads = 2;
  EXPECT_DOUBLE_EQ(attention_scale(model), 1.0 / std::sqrt(16.0));  // heads as wide as at the base
}

}  // namespace
}  // namespace ditscale::worker
