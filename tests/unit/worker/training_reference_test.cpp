#include "worker/evaluation/training_reference.hpp"

#include <string>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "tests/unit/worker/scratch_folder.hpp"

namespace ditscale::worker {
namespace {

/// Features are the first three pixels; counts how often it was asked.
class FirstPixels final : public FeatureNetwork {
 public:
  [[nodiscard]] std::string name() const override { return "first_pixels"; }
  [[nodiscard]] std::string digest() const override { return digest_; }
  [[nodiscard]] std::int64_t width() const override { return 3; }
  [[nodiscard]] ImageFeatures extract(const torch::Tensor& images, FeatureParts) const override {
    ++num_calls_;
    return {images.flatten(1).slice(1, 0, 3).to(torch::kFloat), {}, {}};
  }

  std::string digest_ = "a";
  mutable int num_calls_ = 0;
};

class TrainingReference : public InScratchFolder {
 protected:
  [[nodiscard]] GaussianStats get() const {
    return training_reference(network_, "made_up", train_, at("cache")).content().pooled;
  }
  [[nodiscard]] std::filesystem::path file() const { return training_reference_file(network_, train_, at("cache")); }

  FirstPixels network_;
  ImageSet train_{(torch::arange(20 * 4) * 37 % 256).reshape({20, 1, 2, 2}).to(torch::kByte), {}, "data"};
};

void expect_equal(const GaussianStats& a, const GaussianStats& b) {
  EXPECT_EQ(a.n, b.n);
  EXPECT_TRUE(torch::equal(a.mean, b.mean));
  EXPECT_TRUE(torch::equal(a.covariance, b.covariance));
}

TEST_F(TrainingReference, AreComputedOnceAndReadBackExactly) {
  const GaussianStats computed = get();
  EXPECT_EQ(computed.n, 20);
  EXPECT_EQ(network_.num_calls_, 1);
  expect_equal(get(), computed);
  EXPECT_EQ(network_.num_calls_, 1);
}

TEST_F(TrainingReference, TellHowFarTheyAre) {
  std::int64_t done = 0;
  (void)training_reference(network_, "made_up", train_, at("cache"), [&](std::int64_t images) { done = images; });
  EXPECT_EQ(done, 20);
}

TEST_F(TrainingReference, AreKeptApartForOtherWeightsAndOtherData) {
  const std::filesystem::path first = file();
  network_.digest_ = "b";
  EXPECT_NE(file(), first);
  network_.digest_ = "a";
  train_.digest = "other";
  EXPECT_NE(file(), first);
}

TEST_F(TrainingReference, AreComputedAnewWhenTheirFileIsDamagedAnywhere) {
  const GaussianStats computed = get();
  const std::string whole = bytes_of(file());
  for (std::size_t i = 0; i < whole.size(); i += 1 + whole.size() / 60) {
    std::string damaged = whole;
    damaged[i] ^= 0x10;
    put(file(), damaged);
    expect_equal(get(), computed);
  }
  put(file(), whole.substr(0, whole.size() / 2));
  expect_equal(get(), computed);
  EXPECT_EQ(bytes_of(file()), whole);
}

TEST_F(TrainingReference, AreComputedWhenTheyBelongToSomethingElse) {
  const GaussianStats computed = get();
  const std::filesystem::path mine = file();
  network_.digest_ = "b";
  (void)get();
  std::filesystem::copy_file(file(), mine, std::filesystem::copy_options::overwrite_existing);
  network_.digest_ = "a";
  network_.num_calls_ = 0;
  expect_equal(get(), computed);
  EXPECT_EQ(network_.num_calls_, 1);
}

TEST_F(TrainingReference, AreGivenEvenWhenTheyCannotBeKept) {
  put(at("cache"), "a file where the folder should be");
  EXPECT_EQ(get().n, 20);
}

}  // namespace
}  // namespace ditscale::worker
