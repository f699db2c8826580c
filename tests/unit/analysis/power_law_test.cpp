#include "analysis/fits/power_law.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/fits/bootstrap.hpp"
#include "analysis/fits/fit_report.hpp"
#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::vector<FitPoint> points_of(const std::vector<double>& xs, const std::vector<double>& ys) {
  std::vector<FitPoint> points;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    points.push_back({xs[i], ys[i], "point " + std::to_string(i), "run " + std::to_string(i)});
  }
  return points;
}

std::vector<FitPoint> planted(const PowerLaw& law, const std::vector<double>& xs) {
  std::vector<double> ys;
  for (const double x : xs) ys.push_back(law.at(x));
  return points_of(xs, ys);
}

/// floor 2, factor 400, exponent 0.4 with about 1 % noise; what scipy finds in it stands in the tests.
std::vector<FitPoint> noisy() {
  return points_of({1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 3e9},
                   {3.628533, 2.990055, 2.655113, 2.396506, 2.277296, 2.143258, 2.108894, 2.052394});
}

std::vector<FitPoint> paper() {
  const auto document = common::read_json(DITSCALE_SOURCE_DIR "/tests/golden/paper_tables.json");
  std::vector<double> xs;
  std::vector<double> ys;
  for (const common::Json& row : document.value["scaling_400k"]["rows"]) {
    xs.push_back(row[2]);
    ys.push_back(row[4]);
  }
  return points_of(xs, ys);
}

FitOptions form(bool with_floor) {
  FitOptions options;
  options.with_floor = with_floor;
  return options;
}

TEST(PowerLaw, FindsAPlantedLawWithoutFloor) {
  const PowerLaw law{0, 137.5, 0.365};
  const PowerLawFit fit = fit_power_law(planted(law, {0.36, 1.4, 6.0, 23.0, 118.6}), form(false));
  EXPECT_NEAR(fit.law.exponent, law.exponent, 1e-12);
  EXPECT_NEAR(fit.law.factor, law.factor, 1e-9);
  EXPECT_EQ(fit.law.floor, 0);
  EXPECT_NEAR(*fit.r_squared, 1, 1e-12);
  EXPECT_FALSE(fit.aicc.has_value());  // an exact fit has no likelihood
}

TEST(PowerLaw, FindsPlantedLawsWithFloorAtAnyScale) {
  for (const PowerLaw& law : {PowerLaw{1.69, 406.4, 0.34}, PowerLaw{2.0, 3e4, 0.8}, PowerLaw{20, 400, 0.15},
                              PowerLaw{1e-3, 5.0, 0.5}, PowerLaw{100, 1e12, 2.0}}) {
    const std::vector<double> xs{1e5, 1e6, 1e7, 1e8, 1e9, 1e10};
    const PowerLawFit fit = fit_power_law(planted(law, xs), form(true));
    EXPECT_NEAR(fit.law.exponent / law.exponent, 1, 1e-5) << law.exponent;
    EXPECT_NEAR(fit.law.floor / law.floor, 1, 1e-4) << law.floor;
    for (const double x : xs) EXPECT_NEAR(fit.law.at(x) / law.at(x), 1, 1e-7);
  }
}

TEST(PowerLaw, AgreesWithNumpysStraightLineOnThePapersTable) {
  const PowerLawFit fit = fit_power_law(paper(), form(false));
  EXPECT_NEAR(fit.law.exponent, 0.36475245597444916, 1e-12);
  EXPECT_NEAR(fit.law.factor, 137.7670812324457, 1e-9);
}

TEST(PowerLaw, SaysWhenThePointsShowNoFloor) {
  const PowerLawFit fit = fit_power_law(paper(), form(true));
  EXPECT_NEAR(fit.law.exponent, 0.36475245597444916, 1e-6);
  EXPECT_NEAR(fit.objective, 0.6106118428691617, 1e-9);
  EXPECT_THAT(fit.warnings, Contains(HasSubstr("the floor went to 0")));
}

TEST(PowerLaw, AgreesWithScipysBestOf400StartsOnNoisyPoints) {
  const PowerLawFit fit = fit_power_law(noisy(), form(true));
  EXPECT_NEAR(fit.law.floor, 1.9991726235838985, 1e-6);
  EXPECT_NEAR(fit.law.exponent, 0.4034047967503273, 1e-6);
  EXPECT_NEAR(fit.law.factor, 423.30511364179625, 1e-2);
  EXPECT_NEAR(fit.objective, 0.0005629636910616499, 1e-12);
  EXPECT_NEAR(fit.aicc.value(), -55.160562390520376, 1e-6);
}

TEST(PowerLaw, HubersLossAgreesWithScipys) {
  std::vector<FitPoint> points = paper();
  FitOptions options;
  options.huber_delta = 0.01;
  const PowerLawFit fit = fit_power_law(points, options);
  EXPECT_NEAR(fit.law.exponent, 0.34324583, 1e-6);
  EXPECT_NEAR(fit.objective, 0.03685433360507951, 1e-8);
}

TEST(PowerLaw, ScalingTheObjectiveChangesNoParameter) {
  for (const bool with_floor : {false, true}) {
    for (const bool huber : {false, true}) {
      FitOptions options = form(with_floor);
      if (huber) options.huber_delta = 1e-3;
      const PowerLawFit plain = fit_power_law(noisy(), options);
      for (const double scale : {1e-8, 1e-4, 1e4}) {
        options.objective_scale = scale;
        const PowerLawFit scaled = fit_power_law(noisy(), options);
        EXPECT_NEAR(scaled.law.exponent / plain.law.exponent, 1, 1e-6) << with_floor << huber << scale;
        EXPECT_NEAR(scaled.objective / plain.objective, 1, 1e-8) << with_floor << huber << scale;
      }
    }
  }
}

TEST(PowerLaw, NeitherTheOrderNorTheUnitsOfThePointsMatter) {
  const PowerLaw reference = fit_power_law(noisy(), form(true)).law;
  std::vector<FitPoint> points = noisy();
  std::reverse(points.begin(), points.end());
  for (FitPoint& point : points) {
    point.x *= 1e9;
    point.y *= 1e-3;
  }
  const PowerLaw law = fit_power_law(points, form(true)).law;
  EXPECT_NEAR(law.exponent, reference.exponent, 1e-7);
  EXPECT_NEAR(law.floor, 1e-3 * reference.floor, 1e-9);
}

TEST(PowerLaw, RefusesTooFewPointsAndSaysWhatToRun) {
  const PowerLaw law{0, 10, 0.5};
  const auto two = planted(law, {1, 2, 2, 1});
  EXPECT_THAT(why_not_fittable(two, false).value(), HasSubstr("2 different values of x"));
  EXPECT_THAT(why_not_fittable(two, false).value(), HasSubstr("run more model sizes"));
  EXPECT_THROW((void)fit_power_law(two, form(false)), common::ConfigError);
  const auto three = planted(law, {1, 2, 3});
  EXPECT_FALSE(why_not_fittable(three, false).has_value());
  EXPECT_THAT(why_not_fittable(three, true).value(), HasSubstr("at least 4"));
  EXPECT_THAT(why_not_fittable(points_of({1, 2, 3}, {1, -2, 3}), false).value(), HasSubstr("positive"));
}

TEST(PowerLaw, WarnsWhenTheScoreRises) {
  const PowerLawFit fit = fit_power_law(planted({0, 1, -0.5}, {1, 2, 4, 8}), form(false));
  EXPECT_NEAR(fit.law.exponent, -0.5, 1e-12);
  EXPECT_THAT(fit.warnings, Contains(HasSubstr("does not fall")));
}

TEST(Bootstrap, IsTheSameForTheSameSeedAndCoversThePlantedExponent) {
  const Bootstrap first = bootstrap_by_run(noisy(), form(true), 200, 7);
  const Bootstrap again = bootstrap_by_run(noisy(), form(true), 200, 7);
  EXPECT_EQ(first.exponent->low, again.exponent->low);
  EXPECT_EQ(first.exponent->high, again.exponent->high);
  EXPECT_NE(first.exponent->low, bootstrap_by_run(noisy(), form(true), 200, 8).exponent->low);
  EXPECT_LT(first.exponent->low, 0.4);
  EXPECT_GT(first.exponent->high, 0.4);
  EXPECT_LT(first.floor->low, 2.0);
}

TEST(Bootstrap, ResamplesRunsAndNotPoints) {
  // Two runs of many points each: half of the resamples hold one run only, which cannot be told from a narrow fit if
  // points were drawn. Each run alone has an exponent of its own, so the interval must reach both.
  std::vector<FitPoint> points;
  for (int i = 0; i < 20; ++i) {
    const double x = std::pow(1.5, i + 1);
    points.push_back({x, 10 * std::pow(x, -0.2), "a", "a"});
    points.push_back({x, 10 * std::pow(x, -0.4), "b", "b"});
  }
  const Bootstrap bootstrap = bootstrap_by_run(points, form(false), 300, 0);
  EXPECT_NEAR(bootstrap.exponent->low, 0.2, 1e-9);
  EXPECT_NEAR(bootstrap.exponent->high, 0.4, 1e-9);
}

TEST(Bootstrap, CountsResamplesThatCannotBeFitted) {
  const Bootstrap bootstrap = bootstrap_by_run(planted({0, 1, 0.5}, {1, 2, 4}), form(false), 100, 0);
  EXPECT_GT(bootstrap.num_failed, 50);  // all three must be drawn: 6 of 27 draws
  EXPECT_FALSE(bootstrap.exponent.has_value());
}

TEST(Influence, ThePlantedOutlierMattersMost) {
  std::vector<FitPoint> points = planted({0, 100, 0.5}, {1, 2, 4, 8, 16, 32});
  points[5].y *= 1.5;
  const auto influences = leave_one_out(points, form(false));
  ASSERT_EQ(influences.size(), 6U);
  EXPECT_NEAR(*influences[5].exponent, 0.5, 1e-12);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_GT(std::abs(*influences[i].exponent - 0.5), 0.01);
}

TEST(Influence, LeavingOutTheLargestXShowsHowFarTheLawCanBeTrusted) {
  const auto points = planted({5, 100, 0.5}, {1, 4, 16, 64, 256, 1024});
  EXPECT_NEAR(largest_x_left_out_ratio(points, form(true)).value(), 1, 1e-6);
  EXPECT_LT(largest_x_left_out_ratio(points, form(false)).value(), 0.9);  // the floor is missed
  EXPECT_FALSE(largest_x_left_out_ratio(planted({0, 1, 1}, {1, 2, 3}), form(false)).has_value());
}

TEST(FitReport, PrefersTheFloorWhereOneWasPlantedAndNotElsewhere) {
  EXPECT_TRUE(prefers_floor(make_fit_report(noisy(), {std::nullopt, 20, 0})));
  EXPECT_FALSE(prefers_floor(make_fit_report(paper(), {std::nullopt, 20, 0})));
}

TEST(FitReport, KeepsFullPrecisionInJson) {
  const FitReport report = make_fit_report(noisy(), {std::nullopt, 20, 0});
  const common::Json json = common::Json::parse(to_json(report).dump());
  EXPECT_EQ(json["with_floor"]["exponent"].get<double>(), report.with_floor.fit->law.exponent);
  EXPECT_EQ(json["without_floor"]["objective"].get<double>(), report.without_floor.fit->objective);
  EXPECT_EQ(json["with_floor"]["intervals_95"]["seed"], 0);
}

TEST(FitReport, NamesAnExtrapolation) {
  FitReport report = make_fit_report(noisy(), {std::nullopt, 20, 0});
  report.asked_x = {3e10};
  EXPECT_THAT(to_text(report), HasSubstr("10 times beyond it: an extrapolation"));
}

}  // namespace
}  // namespace ditscale::analysis
