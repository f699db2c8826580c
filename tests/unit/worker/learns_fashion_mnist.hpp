#pragma once

#include <gtest/gtest.h>

#include "worker/training/train_step.hpp"

namespace ditscale::worker {

/// Trains a small model of this kind for some steps on Fashion-MNIST: what is minimised must fall below three quarters.
inline void expect_learns_fashion_mnist(sweeps::TrialSpec trial) {
  static const ImageSet images = load_image_set(sweeps::DataSpec{}, Split::kTrain);
  trial.train.global_batch = 32;
  trial.train.lr = 2e-3;
  const BatchSource source(images, trial);
  SingleProcess alone;
  TrainState state(trial.shape(), 0, torch::kCPU);
  TrainStep step(trial, source, alone, state, Precision::kFp32);
  constexpr int kSteps = 80, kWindow = 10;
  double early = 0, late = 0;
  for (int i = 0; i < kSteps; ++i) {
    const StepResult result = step.run(false);
    ASSERT_TRUE(result.finite()) << "step " << i;
    if (i < kWindow) early += result.loss / kWindow;
    if (i >= kSteps - kWindow) late += result.loss / kWindow;
  }
  EXPECT_LT(late, 0.75 * early) << "from " << early << " to " << late;
}

}  // namespace ditscale::worker
