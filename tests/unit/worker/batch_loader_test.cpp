#include "worker/training/batch_loader.hpp"

#include <cmath>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/made_up_store.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/random/normal_batch.hpp"

namespace ditscale::worker {
namespace {

constexpr std::int64_t kNumLoaded = 30;

class Loading : public InScratchFolder {
 protected:
  Loading() { at::set_num_threads(1); }

  /// The store as training sees it, its rows left on the disk.
  [[nodiscard]] ImageSet on_disk() const {
    auto store = std::make_shared<const Store>(path_);
    return {{}, store->labels(), store->facts().digest, store};
  }
  [[nodiscard]] ImageSet in_memory() const {
    const Store store(path_);
    return {store.rows(0, kNumLoaded), store.labels(), store.facts().digest};
  }

  static sweeps::TrialSpec trial(bool flip = true) {
    sweeps::TrialSpec trial;
    trial.data.flip = flip;
    trial.seed = 5;
    return trial;
  }

  static void expect_equal(const Batch& a, const Batch& b) {
    EXPECT_TRUE(torch::equal(a.x0, b.x0));
    EXPECT_TRUE(torch::equal(a.labels, b.labels));
    EXPECT_TRUE(torch::equal(a.noise, b.noise));
    ASSERT_EQ(a.context.defined(), b.context.defined());
    if (!a.context.defined()) return;
    EXPECT_TRUE(torch::equal(a.context, b.context));
  }

  std::filesystem::path path_ = at("store.h5");
};

TEST_F(Loading, FromTheDiskEqualsLoadingFromMemory) {
  write_store(path_, pixel_facts(6, 3, 4), torch::randint(0, 256, {kNumLoaded, 3, 6, 6}, torch::kByte));
  const ImageSet disk = on_disk(), memory = in_memory();
  const sweeps::TrialSpec spec = trial();
  expect_equal(BatchSource(disk, spec).batch(7, 50), BatchSource(memory, spec).batch(7, 50));
}

TEST_F(Loading, AheadGivesTheBatchesOfEveryProcessInOrder) {
  write_store(path_, pixel_facts(6, 3, 4), torch::randint(0, 256, {kNumLoaded, 3, 6, 6}, torch::kByte));
  const ImageSet images = on_disk();
  const sweeps::TrialSpec spec = trial();
  const BatchSource source(images, spec);
  for (const std::int64_t rank : {0, 1}) {
    // Two processes with six of twelve images each, two at a time; the second with several threads.
    BatchLoader loader(source, {6 * rank, 2, 6, 12}, torch::kCPU, 1 + 3 * rank);
    for (std::int64_t step = 0; step < 8; ++step) {
      for (std::int64_t at = 0; at < 6; at += 2) {
        const std::int64_t first = 12 * step + 6 * rank + at;
        expect_equal(loader.batch(first), source.batch(first, 2));
      }
    }
  }
}

TEST_F(Loading, AheadMayStartAnywhereAndJump) {
  write_store(path_, pixel_facts(6, 3, 4), torch::randint(0, 256, {kNumLoaded, 3, 6, 6}, torch::kByte));
  const ImageSet images = on_disk();
  const sweeps::TrialSpec spec = trial();
  const BatchSource source(images, spec);
  BatchLoader loader(source, {0, 4, 4, 4}, torch::kCPU, 3);
  for (const std::int64_t first : {400, 404, 8, 12, 16, 12, 12, 0})
    expect_equal(loader.batch(first), source.batch(first, 4));
}

TEST_F(Loading, AheadThrowsWhatReadingThrows) {
  write_store(path_, pixel_facts(6, 3, 4), torch::randint(0, 256, {kNumLoaded, 3, 6, 6}, torch::kByte));
  const ImageSet images = on_disk();
  const sweeps::TrialSpec spec = trial();
  const BatchSource source(images, spec);
  BatchLoader loader(source, {0, kNumLoaded, kNumLoaded, kNumLoaded}, torch::kCPU);
  RowFile(path_, "images", RowFile::Access::kReadWrite).write(11, std::vector<std::byte>(3 * 36));
  for (int twice = 0; twice < 2; ++twice)
    EXPECT_THAT(message_of<common::CorruptData>([&] { (void)loader.batch(0); }), testing::HasSubstr("row 11"));
}

TEST_F(Loading, SamplesThePosteriorWithNoiseOfTheImage) {
  // Mean 3 and deviation 2 everywhere.
  const torch::Tensor moments =
      torch::cat({torch::full({kNumLoaded, 1, 4, 4, 4}, 3.0), torch::full({kNumLoaded, 1, 4, 4, 4}, 2.0)}, 2);
  write_store(path_, latent_facts(4, 4, 1), moments);
  const ImageSet images = on_disk();
  const Batch batch = BatchSource(images, trial(false)).batch(100, 20);
  const auto noise = normal_batch(5, Purpose::kPosterior, 100, 20, {4, 4, 4});
  EXPECT_TRUE(torch::allclose(batch.x0, (3.0 + 2.0 * noise) * 0.18215, 1e-6, 1e-6));
  EXPECT_FALSE(torch::allclose(noise, batch.noise)) << "the posterior's noise is not the diffusion's";
}

TEST_F(Loading, SamplesAnotherLatentOfAnImageInTheNextEpoch) {
  write_store(path_, latent_facts(4, 4, 1), torch::ones({kNumLoaded, 1, 8, 4, 4}).to(torch::kHalf));
  const ImageSet images = on_disk();
  const BatchSource source(images, trial(false));
  EXPECT_FALSE(torch::equal(source.batch(0, 1).x0, source.batch(kNumLoaded, 1).x0));
}

TEST_F(Loading, TakesTheStoredMirrorImageForHalfOfTheImages) {
  // Deviation 0: the mean comes back; 1 for the image, 2 for its mirror image.
  torch::Tensor moments = torch::zeros({kNumLoaded, 2, 8, 4, 4}, torch::kHalf);
  moments.select(1, 0).narrow(1, 0, 4).fill_(1.0);
  moments.select(1, 1).narrow(1, 0, 4).fill_(2.0);
  write_store(path_, latent_facts(4, 4, 2), moments);
  const ImageSet images = on_disk();
  constexpr std::int64_t kCount = 3000;
  const torch::Tensor first = BatchSource(images, trial()).batch(0, kCount).x0.select(1, 0).select(1, 0).select(1, 0);
  const auto mirrored = (first / 0.18215 - 2.0).abs().lt(1e-5).sum().item<double>();
  const auto plain = (first / 0.18215 - 1.0).abs().lt(1e-5).sum().item<double>();
  EXPECT_EQ(mirrored + plain, kCount);
  EXPECT_NEAR(mirrored, 0.5 * kCount, 5 * std::sqrt(0.25 * kCount));  // five standard deviations
  EXPECT_TRUE(BatchSource(images, trial(false)).batch(0, 50).x0.lt(0.2).all().item<bool>());
}

TEST_F(Loading, MirrorsLatentsThatCameWithoutTheirMirrorImage) {
  torch::Tensor moments = torch::zeros({kNumLoaded, 1, 8, 4, 4});
  moments.narrow(2, 0, 4).copy_(torch::arange(4, torch::kFloat).expand({kNumLoaded, 1, 4, 4, 4}));
  write_store(path_, latent_facts(4, 4, 1), moments);
  const ImageSet images = on_disk();
  const torch::Tensor x0 = BatchSource(images, trial()).batch(0, 200).x0 / 0.18215;
  std::int64_t mirrored = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const bool is_mirror = x0[i][0][0][0].item<float>() > 1;
    const auto expected = torch::arange(4, torch::kFloat).expand({4, 4, 4});
    EXPECT_TRUE(torch::allclose(x0[i], is_mirror ? expected.flip(2) : expected, 0, 1e-5));
    mirrored += is_mirror ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(mirrored), 100, 5 * std::sqrt(50.0));
}

TEST_F(Loading, BringsEachImageItsEmbedding) {
  const torch::Tensor rows = torch::randint(0, 256, {kNumLoaded, 1, 4, 4}, torch::kByte);
  const torch::Tensor embeddings = torch::randn({kNumLoaded, 3, 5}).to(torch::kHalf);
  write_store(path_, pixel_facts(4, 1, kNumLoaded), rows, embeddings);
  const ImageSet images = on_disk();
  sweeps::TrialSpec spec = trial();
  spec.model.class_dropout = 0;
  const Batch batch = BatchSource(images, spec).batch(3, 40);
  EXPECT_EQ(batch.context.sizes(), (std::vector<std::int64_t>{40, 3, 5}));
  // The label of image i is i.
  EXPECT_TRUE(torch::equal(batch.context, embeddings.index_select(0, batch.labels).to(torch::kFloat)));
}

TEST_F(Loading, MarksADroppedEmbeddingEvenWithoutClasses) {
  write_store(path_, pixel_facts(4, 1, 0), torch::zeros({kNumLoaded, 1, 4, 4}, torch::kByte),
              torch::randn({kNumLoaded, 3, 5}));
  const ImageSet images = on_disk();
  sweeps::TrialSpec spec = trial();
  spec.model.conditioning = sweeps::Conditioning::kEmbeddings;
  spec.model.class_dropout = 0.5;
  constexpr std::int64_t kCount = 2000;
  const torch::Tensor labels = BatchSource(images, spec).batch(0, kCount).labels;
  const auto dropped = labels.eq(spec.shape().null_label()).sum().item<double>();
  EXPECT_NEAR(dropped, 0.5 * kCount, 5 * std::sqrt(0.25 * kCount));
  EXPECT_EQ(labels.eq(0).sum().item<double>() + dropped, kCount);
}

}  // namespace
}  // namespace ditscale::worker
