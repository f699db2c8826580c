#include "worker/evaluation/frechet.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {
namespace {

torch::Tensor doubles(const std::vector<double>& values) { return torch::tensor(values, torch::kDouble); }

GaussianStats gaussian(const torch::Tensor& mean, const torch::Tensor& covariance) { return {1000, mean, covariance}; }

GaussianStats stats_of(const torch::Tensor& features) {
  GaussianAccumulator accumulator(features.size(1));
  accumulator.add(features);
  return accumulator.stats();
}

torch::Tensor random_covariance(std::int64_t width) {
  const torch::Tensor factor = torch::randn({width, 2 * width}, torch::kDouble);
  return at::matmul(factor, factor.t()) / width;
}

TEST(Frechet, IsZeroBetweenEqualSets) {
  torch::manual_seed(1);
  for (const std::int64_t width : {1, 7, 64}) {
    const GaussianStats stats = gaussian(torch::randn({width}, torch::kDouble), random_covariance(width));
    const double trace = stats.covariance.trace().item<double>();
    EXPECT_NEAR(FrechetReference(stats).distance(stats).value, 0, 1e-12 * trace);
  }
}

TEST(Frechet, IsTheSquaredShiftBetweenGaussiansOfOneShape) {
  torch::manual_seed(2);
  const torch::Tensor covariance = random_covariance(5);
  const FrechetReference reference(gaussian(torch::zeros({5}, torch::kDouble), covariance));
  EXPECT_NEAR(reference.distance(gaussian(doubles({1, -2, 0, 0, 3}), covariance)).value, 14, 1e-10);
}

TEST(Frechet, IsTheSumOfSquaredDeviationDifferencesOnDiagonals) {
  const torch::Tensor mean = torch::zeros({3}, torch::kDouble);
  const FrechetReference reference(gaussian(mean, torch::diag(doubles({4, 9, 0}))));
  // (2 - 1)² + (3 - 5)² + (0 - 7)²
  EXPECT_NEAR(reference.distance(gaussian(mean, torch::diag(doubles({1, 25, 49})))).value, 54, 1e-12);
}

TEST(Frechet, ScalesWithTheSquareOfTheFeatures) {
  torch::manual_seed(3);
  const torch::Tensor x = torch::randn({300, 6});
  const torch::Tensor y = torch::randn({300, 6}) * 2 + 1;
  const double once = FrechetReference(stats_of(x)).distance(stats_of(y)).value;
  EXPECT_NEAR(FrechetReference(stats_of(x * 8)).distance(stats_of(y * 8)).value, 64 * once, 1e-9 * 64 * once);
}

TEST(Frechet, IsTheSameBothWaysRound) {
  torch::manual_seed(4);
  const GaussianStats x = stats_of(torch::randn({90, 20}));
  const GaussianStats y = stats_of(torch::randn({15, 20}) + 1);
  const double there = FrechetReference(x).distance(y).value;
  EXPECT_NEAR(FrechetReference(y).distance(x).value, there, 1e-6 * there);
}

TEST(Frechet, ReportsTheRankOfTheSample) {
  torch::manual_seed(5);
  const FrechetReference reference(stats_of(torch::randn({500, 32})));
  const FrechetResult few = reference.distance(stats_of(torch::randn({10, 32})));
  EXPECT_EQ(few.rank, 9);
  EXPECT_EQ(few.n, 10);
  EXPECT_EQ(reference.distance(stats_of(torch::randn({500, 32}))).rank, 32);
  EXPECT_EQ(reference.distance(stats_of(torch::ones({50, 32}))).rank, 0);
}

TEST(Frechet, RefusesStatisticsThatAreNotFinite) {
  const torch::Tensor mean = torch::zeros({2}, torch::kDouble);
  const torch::Tensor covariance = torch::eye(2, torch::kDouble);
  const torch::Tensor bad = covariance * std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW((void)FrechetReference(gaussian(mean, covariance)).distance(gaussian(mean, bad)), NotFinite);
  EXPECT_THROW((void)FrechetReference(gaussian(mean, bad)), NotFinite);
}

/// tests/golden/frechet.h5 is written by tools/golden/make_frechet_golden.py.
class FrechetGolden : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] torch::Tensor read(const std::string& what) const { return file_.read(GetParam() + "/" + what); }
  [[nodiscard]] double number(const std::string& what) const { return read(what).item<double>(); }

  Hdf5File file_ = Hdf5File::open(DITSCALE_SOURCE_DIR "/tests/golden/frechet.h5");
};

TEST_P(FrechetGolden, AgreesWithScipyToOneInAMillion) {
  const FrechetReference reference(stats_of(read("reference")));
  const FrechetResult result = reference.distance(stats_of(read("sample")));
  EXPECT_NEAR(result.value, number("scipy"), 1e-6 * number("scipy"));
  EXPECT_NEAR(result.value, number("svd"), 1e-6 * number("svd"));
  EXPECT_EQ(result.rank, read("rank").item<std::int64_t>());
}

INSTANTIATE_TEST_SUITE_P(Sets, FrechetGolden,
                         testing::Values("random_8", "random_48", "large_means", "condition_1e12", "few_samples",
                                         "few_on_both_sides", "constant_and_equal_columns"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace ditscale::worker
