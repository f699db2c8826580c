#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/fits/law_fit.hpp"

namespace ditscale::analysis {
namespace {

// Expected ends were computed with scipy 1.x: brentq on the objective, minimised by least_squares over all other
// parameters from many starts.

std::vector<FitPoint> points_of(const std::vector<double>& xs, const std::vector<double>& ys) {
  std::vector<FitPoint> points;
  for (std::size_t i = 0; i < xs.size(); ++i) points.push_back({xs[i], ys[i], "", std::to_string(i)});
  return points;
}

/// 1 + 10000 x^-0.3 with 5 % noise, in which the best floor is 0.
std::vector<FitPoint> without_floor() {
  return points_of(
      {1e9, 1.52e9, 2.31e9, 3.511e9, 5.337e9, 8.111e9, 1.233e10, 1.874e10, 2.848e10, 4.329e10, 6.579e10, 1e11},
      {19.42, 17.74, 17.22, 15.96, 13.06, 12.3, 10.26, 8.437, 8.368, 7.611, 6.541, 6.103});
}

std::array<std::optional<Interval>, kMostParameters> profile_of(const std::vector<FitPoint>& points, Form form) {
  FitOptions options;
  options.form = form;
  options.num_starts = 50;
  return LawSearch(points, form).profile(fit_law(points, options).found);
}

TEST(Profile, BringsAFloorBackWhereTheBestLawHasNone) {
  const auto profile = profile_of(without_floor(), Form::kPowerFloor);
  EXPECT_NEAR(profile[2]->low, 0.24304224137350874, 1e-6);
  EXPECT_NEAR(profile[2]->high, 0.40311054110019434, 1e-6);
  EXPECT_EQ(profile[0]->low, 0);
  EXPECT_NEAR(profile[0]->high, 3.5114044888393234, 1e-5);
}

TEST(Profile, BringsTheFloorOfASurfaceBack) {
  // 0.6 + 400 n^-0.34 + 410 d^-0.28 with 3 % noise.
  const std::vector<double> ys{6.645, 5.401, 4.838, 4.3, 3.7, 3.019, 3.685, 2.661, 2.029, 3.253, 2.252, 1.583};
  std::vector<FitPoint> points;
  for (const double n : {1e6, 1e7, 1e8, 1e9}) {
    for (const double d : {1e8, 1e9, 1e10}) {
      const std::size_t i = points.size();
      points.push_back({n, ys[i], "", std::to_string(i), d});
    }
  }
  const auto profile = profile_of(points, Form::kSurface);
  EXPECT_NEAR(profile[0]->high, 0.7800615200325112, 1e-6);
  EXPECT_NEAR(profile[2]->low, 0.25731706638369084, 1e-6);
  EXPECT_NEAR(profile[2]->high, 0.3850359392786498, 1e-6);
  EXPECT_NEAR(profile[4]->low, 0.1589589428616554, 1e-6);
  EXPECT_NEAR(profile[4]->high, 0.3146930316074863, 1e-6);
}

TEST(Profile, FindsAnEndBetweenItsLastStepAndTheBoundOfAnExponent) {
  // With log x divided by 24 all exponents are 24 times as large: the upper one 9.67, and the bound is 10.
  std::vector<FitPoint> points = without_floor();
  for (FitPoint& point : points) point.x = std::pow(point.x, 1.0 / 24);
  const auto profile = profile_of(points, Form::kPowerFloor);
  EXPECT_NEAR(profile[2]->high, 24 * 0.40311054110019434, 1e-4);
}

}  // namespace
}  // namespace ditscale::analysis
