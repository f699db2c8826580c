#include "worker/training/batch_source.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace ditscale::worker {
namespace {

constexpr std::int64_t kNumStored = 50;

/// Three channels and sides that differ, so that no other axis can pass for the columns. The label is the row.
ImageSet numbered_images() {
  torch::manual_seed(3);
  return {torch::randint(0, 256, {kNumStored, 3, 4, 6}, torch::kUInt8), torch::arange(kNumStored), "made up"};
}

sweeps::TrialSpec trial_with(bool flip) {
  sweeps::TrialSpec trial;
  trial.data.flip = flip;
  trial.model.class_dropout = 0.0;
  return trial;
}

bool close(const torch::Tensor& a, const torch::Tensor& b) { return torch::allclose(a, b, 0, 1e-6); }

/// How many of the first `count` images are mirrored; each has to be its image or the mirror of it.
std::int64_t count_mirrored(bool flip, std::int64_t count) {
  const ImageSet images = numbered_images();
  const Batch batch = BatchSource(images, trial_with(flip)).batch(0, count);
  const auto scaled = images.images.to(torch::kFloat32) / 127.5 - 1.0;
  std::int64_t mirrored = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto original = scaled[batch.labels[i].item<std::int64_t>()];  // (C, H, W)
    const bool is_mirror = close(batch.x0[i], original.flip(2));
    EXPECT_TRUE(is_mirror || close(batch.x0[i], original)) << "image " << i;
    mirrored += is_mirror ? 1 : 0;
  }
  return mirrored;
}

TEST(BatchSource, MirrorsHalfOfTheImages) {
  constexpr std::int64_t kCount = 4000;
  // Five standard deviations of a binomial count.
  EXPECT_NEAR(static_cast<double>(count_mirrored(true, kCount)), 0.5 * kCount, 5 * std::sqrt(0.25 * kCount));
}

TEST(BatchSource, MirrorsNothingWhenFlipIsOff) { EXPECT_EQ(count_mirrored(false, 200), 0); }

TEST(BatchSource, MirrorsAnImageInSomeEpochsOnly) {
  const ImageSet images = numbered_images();
  constexpr std::int64_t kEpochs = 40;
  const Batch batch = BatchSource(images, trial_with(true)).batch(0, kEpochs * kNumStored);
  const auto original = images.images[0].to(torch::kFloat32) / 127.5 - 1.0;
  const auto seen = batch.x0.index({batch.labels == 0});
  ASSERT_EQ(seen.size(0), kEpochs);
  std::int64_t as_stored = 0;
  for (std::int64_t i = 0; i < kEpochs; ++i) as_stored += close(seen[i], original) ? 1 : 0;
  // All alike by chance: 2 in 2^40.
  EXPECT_GT(as_stored, 0);
  EXPECT_LT(as_stored, kEpochs);
}

}  // namespace
}  // namespace ditscale::worker
