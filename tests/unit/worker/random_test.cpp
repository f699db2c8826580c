#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "worker/random/normal_batch.hpp"
#include "worker/random/permutation.hpp"
#include "worker/random/philox.hpp"

namespace ditscale::worker {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers published with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesThePublishedKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, NormalsHaveTheMomentsOfTheStandardNormal) {
  constexpr std::int64_t kCount = 1 << 20;
  const torch::Tensor x = normal_batch(7, Purpose::kNoise, 0, 1, {kCount}).to(torch::kFloat64);
  const double n = static_cast<double>(kCount);
  // Five standard errors of each sample moment.
  EXPECT_NEAR(x.mean().item<double>(), 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(x.square().mean().item<double>(), 1.0, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(x.pow(3).mean().item<double>(), 0.0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(x.pow(4).mean().item<double>(), 3.0, 5 * std::sqrt(96 / n));
}

TEST(Philox, ARowDependsOnItsIndexAlone) {
  const torch::Tensor many = normal_batch(1, Purpose::kNoise, 0, 8, {3, 5});
  const torch::Tensor few = normal_batch(1, Purpose::kNoise, 5, 2, {3, 5});
  EXPECT_TRUE(torch::equal(many.narrow(0, 5, 2), few));
}

TEST(Philox, PurposesSeedsAndStepsGiveDifferentNumbers) {
  std::set<float> firsts;
  for (const auto purpose : {Purpose::kNoise, Purpose::kSampleStart, Purpose::kSampleStep}) {
    for (const std::uint64_t seed : {0, 1}) {
      for (const std::uint32_t step : {0U, 1U})
        firsts.insert(normal_batch(seed, purpose, 0, 1, {1}, step).item<float>());
    }
  }
  EXPECT_EQ(firsts.size(), 12U);
}

class EpochPermutationOfSize : public testing::TestWithParam<std::int64_t> {};

TEST_P(EpochPermutationOfSize, VisitsEachElementOnce) {
  const EpochPermutation permutation(3, 2, GetParam());
  std::vector<bool> seen(static_cast<std::size_t>(GetParam()), false);
  for (std::int64_t i = 0; i < GetParam(); ++i) {
    const std::int64_t value = permutation.at(i);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, GetParam());
    ASSERT_FALSE(seen[static_cast<std::size_t>(value)]) << value;
    seen[static_cast<std::size_t>(value)] = true;
  }
}
INSTANTIATE_TEST_SUITE_P(Sizes, EpochPermutationOfSize, testing::Values(1, 2, 3, 4, 5, 16, 17, 1000, 60000));

TEST(EpochPermutation, DiffersBetweenEpochsAndSeeds) {
  const auto agreeing = [](const EpochPermutation& a, const EpochPermutation& b) {
    int same = 0;
    for (std::int64_t i = 0; i < 1000; ++i) same += a.at(i) == b.at(i) ? 1 : 0;
    return same;
  };
  // Two random permutations of 1000 agree in one place on average; 12 has probability below 1e-9.
  EXPECT_LT(agreeing({1, 0, 1000}, {1, 1, 1000}), 12);
  EXPECT_LT(agreeing({1, 0, 1000}, {2, 0, 1000}), 12);
}

}  // namespace
}  // namespace ditscale::worker
