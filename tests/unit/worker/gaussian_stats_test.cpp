#include "worker/evaluation/gaussian_stats.hpp"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <torch/types.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"

namespace ditscale::worker {
namespace {

using testing::AllOf;
using testing::HasSubstr;

GaussianStats gaussian_of(const torch::Tensor& features) {
  GaussianAccumulator accumulator(features.size(1));
  accumulator.add(features);
  return accumulator.stats();
}

void expect_close(const GaussianStats& a, const GaussianStats& b, double relative = 1e-12) {
  EXPECT_EQ(a.n, b.n);
  EXPECT_TRUE(torch::allclose(a.mean, b.mean, relative, relative));
  EXPECT_TRUE(torch::allclose(a.covariance, b.covariance, relative, relative));
}

/// The corners of a square: mean (1, 2), variances 4/3 with n - 1, no covariance.
torch::Tensor square() { return torch::tensor({{0.F, 1.F}, {0.F, 3.F}, {2.F, 1.F}, {2.F, 3.F}}); }

TEST(GaussianAccumulator, DividesByOneLessThanTheNumberOfVectors) {
  const GaussianStats stats = gaussian_of(square());
  EXPECT_EQ(stats.n, 4);
  EXPECT_TRUE(torch::allclose(stats.mean, torch::tensor({1.0, 2.0}, torch::kDouble)));
  EXPECT_TRUE(torch::allclose(stats.covariance, torch::eye(2, torch::kDouble) * 4 / 3));
}

TEST(GaussianAccumulator, AgreesWithTwoPassesOverAllVectors) {
  torch::manual_seed(1);
  const torch::Tensor features = torch::randn({5000, 12}) * 3 + 7;
  const torch::Tensor exact = features.to(torch::kDouble);
  const torch::Tensor centred = exact - exact.mean(0);
  const GaussianStats stats = gaussian_of(features);
  EXPECT_TRUE(torch::allclose(stats.mean, exact.mean(0), 1e-13));
  EXPECT_TRUE(torch::allclose(stats.covariance, at::matmul(centred.t(), centred) / 4999, 1e-11, 1e-13));
}

TEST(GaussianAccumulator, DoesNotDependOnThePieces) {
  torch::manual_seed(2);
  const torch::Tensor features = torch::randn({700, 9}) + torch::arange(9);
  GaussianAccumulator pieces(9);
  for (const torch::Tensor& piece : features.split({1, 0, 299, 400})) pieces.add(piece);
  expect_close(pieces.stats(), gaussian_of(features));
}

TEST(GaussianAccumulator, MergesWhatWasCollectedApart) {
  torch::manual_seed(3);
  const torch::Tensor features = torch::randn({600, 9});
  const torch::Tensor moved = features + torch::arange(600).unsqueeze(1) / 10;  // the pilot means differ
  GaussianAccumulator first(9);
  GaussianAccumulator second(9);
  GaussianAccumulator empty(9);
  second.add(moved.slice(0, 200));
  first.merge(empty);
  first.add(moved.slice(0, 0, 200));
  first.merge(second);
  expect_close(first.stats(), gaussian_of(moved));
  empty.merge(first);
  expect_close(empty.stats(), gaussian_of(moved));
}

TEST(GaussianAccumulator, LosesNoDigitsToALargeMean) {
  torch::manual_seed(4);
  const torch::Tensor features = torch::randn({1000, 4}, torch::kDouble);
  const GaussianStats near = gaussian_of(features);
  const GaussianStats far = gaussian_of(features + 1e8);
  EXPECT_TRUE(torch::allclose(near.covariance, far.covariance, 1e-6));
}

TEST(GaussianAccumulator, RefusesNanAndInfinityNamingTheImageAndKeepsWhatItHad) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    GaussianAccumulator accumulator(2);
    accumulator.add(square());
    torch::Tensor features = torch::zeros({3, 2});
    features[1][1] = bad;
    EXPECT_THAT(message_of<NotFinite>([&] { accumulator.add(features); }),
                AllOf(HasSubstr("image 5"), HasSubstr("NaN")));
    expect_close(accumulator.stats(), gaussian_of(square()));
  }
}

TEST(GaussianAccumulator, NeedsTwoVectorsOfItsWidth) {
  GaussianAccumulator accumulator(2);
  EXPECT_THROW(accumulator.add(torch::zeros({2, 3})), common::InternalError);
  accumulator.add(torch::zeros({1, 2}));
  EXPECT_THAT(message_of<common::InternalError>([&] { (void)accumulator.stats(); }), HasSubstr("needs two images"));
}

}  // namespace
}  // namespace ditscale::worker
