#include "analysis/statistics/extrapolation.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/statistics/random_stream.hpp"

namespace ditscale::analysis {
namespace {

/// A bias law: 20 + 30,000 / n, with normal errors of 40 / sqrt(n) which nested sets share.
constexpr double kTruth = 20;
constexpr double kSlope = 3e4;
constexpr double kUnitError = 40;

std::vector<CountedScore> scores_of(std::uint64_t seed, double noise, Samples samples) {
  RandomStream random(seed, 0);
  std::vector<CountedScore> scores;
  double sum = 0;
  double before = 0;
  for (const double n : {1000.0, 2000.0, 5000.0}) {
    // The mean of n unit errors: nested, the first `before` of them are those of the smaller set.
    sum = samples == Samples::kNested ? sum + std::sqrt(n - before) * random.normal() : std::sqrt(n) * random.normal();
    before = n;
    const double error = kUnitError / std::sqrt(n);
    scores.push_back({n, kTruth + kSlope / n + noise * kUnitError * sum / n, error});
  }
  return scores;
}

TEST(InfiniteSamples, APlantedBiasLawIsFoundExactlyWithoutNoise) {
  for (const Samples samples : {Samples::kNested, Samples::kIndependent}) {
    const auto scores = scores_of(0, 0, samples);
    const Extrapolated found = at_infinite_samples(scores, samples).value();
    EXPECT_NEAR(found.value, kTruth, 1e-9);
    EXPECT_NEAR(found.slope / kSlope, 1, 1e-9);
    EXPECT_NEAR(found.misfit.value(), 0, 1e-9);
    const auto two = at_infinite_samples(std::span(scores).first(2), samples);
    EXPECT_NEAR(two->value, kTruth, 1e-9);
  }
}

TEST(InfiniteSamples, TheErrorOfTwoNestedCountsIsThatOfTheClosedForm) {
  // y2 - u2 (y1 - y2) / (u1 - u2) with u = 1/n; var(y) = s² u, cov = s² u2: variance s² u1 u2 / (u1 - u2).
  const std::vector<CountedScore> scores{{1000, 50, kUnitError / std::sqrt(1000.0)},
                                         {4000, 30, kUnitError / std::sqrt(4000.0)}};
  const double u1 = 1e-3;
  const double u2 = 2.5e-4;
  const Extrapolated found = at_infinite_samples(scores, Samples::kNested).value();
  EXPECT_NEAR(found.value, 30 - 20 / 3.0, 1e-9);
  EXPECT_NEAR(found.standard_error.value(), kUnitError * std::sqrt(u1 * u2 / (u1 - u2)), 1e-9);
}

TEST(InfiniteSamples, OneCountOrNoErrorsGiveNoNumber) {
  const std::vector<CountedScore> one{{1000, 50, 1}};
  EXPECT_FALSE(at_infinite_samples(one, Samples::kNested));
  const std::vector<CountedScore> two{{1000, 50, {}}, {2000, 40, 1}};
  EXPECT_NEAR(at_infinite_samples(two, Samples::kIndependent)->value, 30, 1e-9);
  EXPECT_FALSE(at_infinite_samples(two, Samples::kIndependent)->standard_error);
}

TEST(InfiniteSamples, ItsErrorIsNominalOverManyStudies) {
  // Of 2,000 studies 95 % lie within 1.96 standard errors; three standard deviations are 1.5 %.
  for (const Samples samples : {Samples::kNested, Samples::kIndependent}) {
    int covered = 0;
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
      const Extrapolated found = at_infinite_samples(scores_of(seed, 1, samples), samples).value();
      covered += std::abs(found.value - kTruth) < 1.96 * *found.standard_error ? 1 : 0;
      sum += found.value;
    }
    EXPECT_NEAR(covered / 2000.0, 0.95, 0.015);
    EXPECT_NEAR(sum / 2000, kTruth, 0.1);
  }
}

TEST(InfiniteSamples, ScoresThatBendAreNamed) {
  std::vector<CountedScore> scores = scores_of(0, 0, Samples::kIndependent);
  scores[1].value += 10 * *scores[1].standard_error;
  EXPECT_GT(at_infinite_samples(scores, Samples::kIndependent)->misfit.value(), 3);
}

}  // namespace
}  // namespace ditscale::analysis
