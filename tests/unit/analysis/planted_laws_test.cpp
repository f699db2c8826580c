#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/fits/bootstrap.hpp"
#include "analysis/fits/fit_report.hpp"
#include "analysis/statistics/random_stream.hpp"
#include "analysis/statistics/student.hpp"

namespace ditscale::analysis {
namespace {

using ::testing::HasSubstr;

FitOptions options_of(Form form) {
  FitOptions options;
  options.form = form;
  return options;
}

/// `law` at `num` values of x over `decades` decades, with normal noise on log y.
std::vector<FitPoint> study(const Law& law, std::size_t num, double decades, double noise, std::uint64_t seed) {
  RandomStream random(seed, 0);
  std::vector<FitPoint> points;
  for (std::size_t i = 0; i < num; ++i) {
    const double x = 1e6 * std::pow(10, decades * static_cast<double>(i) / static_cast<double>(num - 1));
    const std::string name = std::to_string(i);
    points.push_back({x, law.at(x) * std::exp(noise * random.normal()), name, name});
  }
  return points;
}

/// Sizes and amounts of data drawn apart from each other, as in a study of many runs.
std::vector<FitPoint> surface_study(const Law& law, std::size_t num, double noise, std::uint64_t seed) {
  RandomStream random(seed, 0);
  std::vector<FitPoint> points;
  for (std::size_t i = 0; i < num; ++i) {
    const double n = 5e7 * std::pow(300, random.uniform());
    const double d = 2 * n * std::pow(100, random.uniform());
    const std::string name = std::to_string(i);
    points.push_back({n, law.at(n, d) * std::exp(noise * random.normal()), name, name, d});
  }
  return points;
}

/// Hoffmann et al.'s published surface.
const Law kChinchilla{Form::kSurface, {1.69, 406.4, 0.34, 410.7, 0.28}};
const Law kBroken{Form::kBroken, {2.5, 0.1, 0.45, 3e8}};
const Law kSaturating{Form::kSaturating, {2.0, 30.0, 0.7, 1e8}};

void expect_found(const Law& planted, const std::vector<FitPoint>& points, double tolerance) {
  const Law found = fit_law(points, options_of(planted.form)).law();
  for (std::size_t i = 0; i < planted.size(); ++i) {
    EXPECT_NEAR(found.values[i] / planted.values[i], 1, tolerance) << facts_of(planted.form).parameters[i];
  }
}

TEST(PlantedLaws, AreFoundExactlyWithoutNoise) {
  expect_found(kBroken, study(kBroken, 12, 5, 0, 0), 1e-6);
  expect_found(kSaturating, study(kSaturating, 12, 5, 0, 0), 1e-6);
  expect_found(kChinchilla, surface_study(kChinchilla, 60, 0, 0), 1e-6);
}

TEST(PlantedLaws, LieInTheirIntervals) {
  // Each parameter of each form in at least 15 of 20 studies: fewer have a probability of 0.0003 at the nominal rate.
  for (const Law& law : {power_law(137, 0.36), power_law_with_floor(2, 400, 0.4), kBroken, kSaturating}) {
    FitOptions options = options_of(law.form);
    std::vector<int> covered(law.size());
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto points = study(law, 24, 5, 0.01, seed);
      const Bootstrap laws = bootstrap_by_run(points, options, fit_law(points, options).found, 300, 0);
      for (std::size_t i = 0; i < law.size(); ++i) {
        const auto interval = laws.interval([i](const Law& drawn) { return drawn.values[i]; }).value();
        covered[i] += interval.low < law.values[i] && law.values[i] < interval.high ? 1 : 0;
      }
    }
    for (std::size_t i = 0; i < law.size(); ++i) EXPECT_GE(covered[i], 15) << facts_of(law.form).name << i;
  }
}

TEST(PlantedLaws, ASurfaceUnderHubersLossIgnoresOutliers) {
  std::vector<FitPoint> points = surface_study(kChinchilla, 240, 0.003, 5);
  for (std::size_t i = 0; i < points.size(); i += 20) points[i].y *= 1.5;
  FitOptions options = options_of(Form::kSurface);
  options.huber_delta = 1e-3;
  options.num_starts = 100;
  const LawFit fit = fit_law(points, options);
  EXPECT_NEAR(fit.law().value("alpha"), 0.34, 0.01);
  EXPECT_NEAR(fit.law().value("beta"), 0.28, 0.01);
  EXPECT_GT(fit.found.num_at_optimum, 80);
}

/// Multiplying the objective must change no parameter: a stopping rule that knows its scale (a tolerance on the
/// gradient, a mean instead of a sum) would stop early under the small factor. Each form on noisy points, under both
/// losses.
class ScaledObjective : public ::testing::TestWithParam<std::tuple<Form, bool>> {
 protected:
  [[nodiscard]] static std::vector<FitPoint> points_of(Form form) {
    switch (form) {
      case Form::kPower:
        return study(power_law(137, 0.36), 12, 5, 0.05, 3);
      case Form::kPowerFloor:
        return study(power_law_with_floor(2, 400, 0.4), 16, 5, 0.01, 3);
      case Form::kBroken:
        return study(kBroken, 20, 5, 0.01, 3);
      case Form::kSaturating:
        return study(kSaturating, 20, 5, 0.01, 3);
      case Form::kSurface:
        break;
    }
    return surface_study(kChinchilla, 240, 0.003, 3);
  }
};

TEST_P(ScaledObjective, FindsTheSameParameters) {
  const auto [form, huber] = GetParam();
  const std::vector<FitPoint> points = points_of(form);
  FitOptions options = options_of(form);
  options.num_starts = 50;
  if (huber) options.huber_delta = 1e-3;
  const LawFit plain = fit_law(points, options);
  for (const double scale : {1e-8, 1e-4, 1e4}) {
    options.objective_scale = scale;
    const LawFit scaled = fit_law(points, options);
    for (std::size_t i = 0; i < plain.law().size(); ++i) {
      EXPECT_NEAR(scaled.law().values[i] / plain.law().values[i], 1, 1e-6)
          << facts_of(form).parameters[i] << " at " << scale;
    }
    EXPECT_NEAR(scaled.found.objective / plain.found.objective, 1, 1e-9) << scale;
    EXPECT_EQ(scaled.found.num_at_optimum, plain.found.num_at_optimum) << scale;
  }
}

INSTANTIATE_TEST_SUITE_P(OfEachForm, ScaledObjective,
                         ::testing::Combine(::testing::Values(Form::kPower, Form::kPowerFloor, Form::kBroken,
                                                              Form::kSaturating, Form::kSurface),
                                            ::testing::Bool()),
                         [](const auto& one) {
                           return std::string(facts_of(std::get<0>(one.param)).name) +
                                  (std::get<1>(one.param) ? "_huber" : "_squares");
                         });

/// Of 500 simulated studies the intervals of which cover the planted value: nominally 475, and by the binomial
/// distribution between 460 and 490 (three standard deviations are 14.6).
constexpr int kStudies = 500;
constexpr int kFewest = 460;
constexpr int kMost = 490;

TEST(Coverage, OfTheBootstrapByRunIsNominal) {
  const Law law = power_law(137, 0.36);
  int covered = 0;
  for (int seed = 0; seed < kStudies; ++seed) {
    const auto points = study(law, 12, 4, 0.05, static_cast<std::uint64_t>(seed));
    const FitOptions options = options_of(law.form);
    const auto interval =
        bootstrap_by_run(points, options, fit_law(points, options).found, 1000, 1).interval([](const Law& drawn) {
          return drawn.value("alpha");
        });
    covered += interval->low < 0.36 && 0.36 < interval->high ? 1 : 0;
  }
  EXPECT_GE(covered, kFewest);
  EXPECT_LE(covered, kMost);
}

TEST(Coverage, OfTheProfileLikelihoodIsNominal) {
  const Law law = power_law_with_floor(2, 400, 0.4);
  int covered = 0;
  for (int seed = 0; seed < kStudies; ++seed) {
    const auto points = study(law, 16, 5, 0.01, static_cast<std::uint64_t>(seed));
    FitOptions options = options_of(law.form);
    options.num_starts = 20;
    const auto interval = LawSearch(points, law.form).profile(fit_law(points, options).found)[2];
    covered += interval->low < 0.4 && 0.4 < interval->high ? 1 : 0;
  }
  EXPECT_GE(covered, kFewest);
  EXPECT_LE(covered, kMost);
}

TEST(Surface, IsRefusedWhereSizeAndDataDependOnEachOther) {
  std::vector<FitPoint> one_budget;
  std::vector<FitPoint> one_size;
  for (int i = 0; i < 10; ++i) {
    const double n = 1e7 * std::pow(2, i);
    one_budget.push_back({n, kChinchilla.at(n, 1e18 / n), "", std::to_string(i), 1e18 / n});
    one_size.push_back({n, kChinchilla.at(n, 20 * n), "", std::to_string(i), 20 * n});
  }
  EXPECT_THAT(why_not_fittable(one_budget, Form::kSurface).value(), HasSubstr("run the same sizes at a second budget"));
  EXPECT_THAT(why_not_fittable(one_size, Form::kSurface).value(), HasSubstr("run at least two sizes per budget"));
  one_budget.resize(4);
  EXPECT_THAT(why_not_fittable(one_budget, Form::kSurface).value(), HasSubstr("five parameters"));
}

TEST(Student, QuantilesAreThoseOfScipy) {
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706204736174694, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 2), 4.302652729749462, 1e-10);
  EXPECT_NEAR(student_quantile(0.975, 5), 2.5705818356363146, 1e-10);
  EXPECT_NEAR(student_quantile(0.975, 10), 2.228138851986274, 1e-10);
  EXPECT_NEAR(student_quantile(0.05, 30), -1.6972608865939591, 1e-10);
}

}  // namespace
}  // namespace ditscale::analysis
