#include <gtest/gtest.h>
#include <torch/optim/adamw.h>

#include "worker/kernels/adamw_ema.hpp"

namespace ditscale::worker {
namespace {

TEST(AdamW, AgreesWithLibTorchOverSomeSteps) {
  torch::manual_seed(0);
  auto theirs = torch::randn({1000}).requires_grad_();
  auto ours = theirs.detach().clone(), ema = ours.clone();
  auto moment1 = torch::zeros({1000}), moment2 = torch::zeros({1000});
  torch::optim::AdamW peer({theirs}, torch::optim::AdamWOptions(1e-2).betas({0.9, 0.99}).weight_decay(0.1).eps(1e-8));
  for (std::int64_t step = 1; step <= 20; ++step) {
    const auto gradient = torch::randn({1000});
    theirs.mutable_grad() = gradient.clone();
    peer.step();
    adamw_ema(ours, gradient, moment1, moment2, ema,
              {.lr = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1, .ema_decay = 0.9, .step = step});
  }
  EXPECT_TRUE(torch::allclose(ours, theirs.detach(), 1e-5, 1e-6));
}

TEST(Ema, IsTheGeometricAverageOfTheWeights) {
  auto weights = torch::zeros({4}), ema = torch::zeros({4});
  auto moment1 = torch::zeros({4}), moment2 = torch::zeros({4});
  double expected = 0;
  for (std::int64_t step = 1; step <= 10; ++step) {
    adamw_ema(weights, torch::ones({4}), moment1, moment2, ema, {.lr = 0.1, .ema_decay = 0.75, .step = step});
    expected = 0.75 * expected + 0.25 * weights[0].item<double>();
  }
  EXPECT_NEAR(ema[0].item<double>(), expected, 1e-6);
}

TEST(AdamW, AGradientScaleOfOneHalfIsHalfTheGradient) {
  auto a = torch::ones({16}), b = torch::ones({16});
  auto ema_a = a.clone(), ema_b = b.clone();
  auto ma = torch::zeros({16}), va = torch::zeros({16}), mb = torch::zeros({16}), vb = torch::zeros({16});
  const auto gradient = torch::linspace(-1, 1, 16);
  adamw_ema(a, gradient, ma, va, ema_a, {.gradient_scale = 0.5});
  adamw_ema(b, gradient * 0.5, mb, vb, ema_b, {});
  EXPECT_TRUE(torch::equal(a, b));
}

}  // namespace
}  // namespace ditscale::worker
