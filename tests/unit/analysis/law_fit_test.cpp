#include "analysis/fits/law_fit.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/figures/fit_figures.hpp"
#include "analysis/figures/gnuplot_script.hpp"
#include "analysis/fits/bootstrap.hpp"
#include "analysis/fits/fit_report.hpp"
#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<FitPoint> points_of(const std::vector<double>& xs, const std::vector<double>& ys) {
  std::vector<FitPoint> points;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    points.push_back({xs[i], ys[i], "point " + std::to_string(i), "run " + std::to_string(i)});
  }
  return points;
}

std::vector<FitPoint> planted(const Law& law, const std::vector<double>& xs) {
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
  options.form = with_floor ? Form::kPowerFloor : Form::kPower;
  return options;
}

TEST(LawFit, FindsAPlantedLawWithoutFloor) {
  const Law law = power_law(137.5, 0.365);
  const LawFit fit = fit_law(planted(law, {0.36, 1.4, 6.0, 23.0, 118.6}), form(false));
  EXPECT_NEAR(fit.law().value("alpha"), law.value("alpha"), 1e-12);
  EXPECT_NEAR(fit.law().value("A"), law.value("A"), 1e-9);
  EXPECT_NEAR(*fit.r_squared, 1, 1e-12);
  EXPECT_FALSE(fit.aicc.has_value());  // an exact fit has no likelihood
}

TEST(LawFit, FindsPlantedLawsWithFloorAtAnyScale) {
  for (const Law& law : {power_law_with_floor(1.69, 406.4, 0.34), power_law_with_floor(2.0, 3e4, 0.8),
                         power_law_with_floor(20, 400, 0.15), power_law_with_floor(1e-3, 5.0, 0.5),
                         power_law_with_floor(100, 1e12, 2.0)}) {
    const std::vector<double> xs{1e5, 1e6, 1e7, 1e8, 1e9, 1e10};
    const LawFit fit = fit_law(planted(law, xs), form(true));
    EXPECT_NEAR(fit.law().value("alpha") / law.value("alpha"), 1, 1e-5) << law.value("alpha");
    EXPECT_NEAR(fit.law().value("E") / law.value("E"), 1, 1e-4) << law.value("E");
    for (const double x : xs) EXPECT_NEAR(fit.law().at(x) / law.at(x), 1, 1e-7);
  }
}

TEST(LawFit, AgreesWithNumpysStraightLineOnThePapersTable) {
  const LawFit fit = fit_law(paper(), form(false));
  EXPECT_NEAR(fit.law().value("alpha"), 0.36475245597444916, 1e-12);
  EXPECT_NEAR(fit.law().value("A"), 137.7670812324457, 1e-9);
}

TEST(LawFit, SaysWhenThePointsShowNoFloor) {
  const LawFit fit = fit_law(paper(), form(true));
  EXPECT_NEAR(fit.law().value("alpha"), 0.36475245597444916, 1e-6);
  EXPECT_NEAR(2 * fit.found.objective, 0.6106118428691617, 1e-9);
  EXPECT_THAT(fit.warnings, Contains(HasSubstr("the floor went to 0")));
}

TEST(LawFit, AgreesWithScipysBestOf400StartsOnNoisyPoints) {
  const LawFit fit = fit_law(noisy(), form(true));
  EXPECT_NEAR(fit.law().value("E"), 1.9991726235838985, 1e-6);
  EXPECT_NEAR(fit.law().value("alpha"), 0.4034047967503273, 1e-6);
  EXPECT_NEAR(fit.law().value("A"), 423.30511364179625, 1e-2);
  EXPECT_NEAR(2 * fit.found.objective, 0.0005629636910616499, 1e-12);
  EXPECT_NEAR(fit.aicc.value(), -55.160562390520376, 1e-6);
}

TEST(LawFit, HubersLossAgreesWithScipys) {
  std::vector<FitPoint> points = paper();
  FitOptions options;
  options.huber_delta = 0.01;
  const LawFit fit = fit_law(points, options);
  EXPECT_NEAR(fit.law().value("alpha"), 0.34324583, 1e-6);
  EXPECT_NEAR(2 * fit.found.objective, 0.03685433360507951, 1e-8);
}

TEST(LawFit, NeitherTheOrderNorTheUnitsOfThePointsMatter) {
  const Law reference = fit_law(noisy(), form(true)).law();
  std::vector<FitPoint> points = noisy();
  std::reverse(points.begin(), points.end());
  for (FitPoint& point : points) {
    point.x *= 1e9;
    point.y *= 1e-3;
  }
  const Law law = fit_law(points, form(true)).law();
  EXPECT_NEAR(law.value("alpha"), reference.value("alpha"), 1e-7);
  EXPECT_NEAR(law.value("E"), 1e-3 * reference.value("E"), 1e-9);
}

TEST(LawFit, RefusesTooFewPointsAndSaysWhatToRun) {
  const Law law = power_law(10, 0.5);
  const auto two = planted(law, {1, 2, 2, 1});
  EXPECT_THAT(why_not_fittable(two, Form::kPower).value(), HasSubstr("2 different values of x"));
  EXPECT_THAT(why_not_fittable(two, Form::kPower).value(), HasSubstr("run more model sizes"));
  EXPECT_THROW((void)fit_law(two, form(false)), common::ConfigError);
  const auto three = planted(law, {1, 2, 3});
  EXPECT_FALSE(why_not_fittable(three, Form::kPower).has_value());
  EXPECT_THAT(why_not_fittable(three, Form::kPowerFloor).value(), HasSubstr("at least 4"));
  EXPECT_THAT(why_not_fittable(points_of({1, 2, 3}, {1, -2, 3}), Form::kPower).value(), HasSubstr("positive"));
}

TEST(LawFit, WarnsWhenTheScoreRises) {
  const LawFit fit = fit_law(planted(power_law(1, -0.5), {1, 2, 4, 8}), form(false));
  EXPECT_NEAR(fit.law().value("alpha"), -0.5, 1e-12);
  EXPECT_THAT(fit.warnings, Contains(HasSubstr("does not fall")));
  FitOptions higher = form(false);
  higher.higher_is_better = true;
  EXPECT_THAT(fit_law(planted(power_law(1, -0.5), {1, 2, 4, 8}), higher).warnings, IsEmpty());
  EXPECT_THAT(fit_law(planted(power_law(1, 0.5), {1, 2, 4, 8}), higher).warnings,
              Contains(HasSubstr("does not rise with x")));
}

Bootstrap bootstrap(const std::vector<FitPoint>& points, bool with_floor, int num_resamples, std::uint64_t seed) {
  const FitOptions options = form(with_floor);
  return bootstrap_by_run(points, options, fit_law(points, options).found, num_resamples, seed);
}

std::optional<Interval> interval_of(const Bootstrap& laws, const char* parameter) {
  return laws.interval([parameter](const Law& law) { return law.value(parameter); });
}

TEST(Bootstrap, IsTheSameForTheSameSeedAndCoversThePlantedExponent) {
  const auto alpha = interval_of(bootstrap(noisy(), true, 200, 7), "alpha");
  EXPECT_EQ(alpha->low, interval_of(bootstrap(noisy(), true, 200, 7), "alpha")->low);
  EXPECT_NE(alpha->low, interval_of(bootstrap(noisy(), true, 200, 8), "alpha")->low);
  EXPECT_LT(alpha->low, 0.4);
  EXPECT_GT(alpha->high, 0.4);
}

TEST(Bootstrap, ResamplesRunsAndNotPoints) {
  // Four runs of many points each, two of either exponent: all points of a run lie on the same side of the law between.
  // Against the law of the other three (exponent 1/3 or 4/15) each run's exponent is off by 2/15, and by so much the
  // resampled ones spread, divided by the root of four runs. Taking points for independent, they would spread by less
  // than a fifth of that.
  std::vector<FitPoint> points;
  for (int i = 0; i < 20; ++i) {
    const double x = std::pow(1.5, i + 1);
    for (const char* run : {"a", "b"}) points.push_back({x, 10 * std::pow(x, -0.2), run, run});
    for (const char* run : {"c", "d"}) points.push_back({x, 10 * std::pow(x, -0.4), run, run});
  }
  const Bootstrap laws = bootstrap(points, false, 4000, 0);
  double square = 0;
  for (const Law& law : laws.laws) square += std::pow(law.value("alpha") - 0.3, 2) / 4000;
  EXPECT_NEAR(std::sqrt(square), 2.0 / 15 / 2, 0.003);
}

TEST(Bootstrap, GivesNoIntervalWhenMostResamplesFailed) {
  Bootstrap laws = bootstrap(noisy(), false, 200, 0);
  EXPECT_EQ(laws.num_failed, 0);
  EXPECT_TRUE(interval_of(laws, "alpha").has_value());
  laws.num_failed = 101;
  EXPECT_FALSE(interval_of(laws, "alpha").has_value());
}

TEST(Bootstrap, GivesNoIntervalWhereNoResampleIsExpectedBeyondIt) {
  // scipy: 1 / norm.cdf(-t.ppf(0.975, n - k)) is 119000 for n - k = 2, 364 for 4.
  std::vector<FitPoint> points = noisy();
  points.resize(6);
  EXPECT_TRUE(interval_of(bootstrap(points, false, 380, 0), "alpha").has_value());
  const Bootstrap few_resamples = bootstrap(points, false, 350, 0);
  EXPECT_FALSE(interval_of(few_resamples, "alpha").has_value());
  EXPECT_THAT(few_resamples.why_no_interval().value(), HasSubstr("or take more resamples"));
  points.resize(4);
  const Bootstrap few_runs = bootstrap(points, false, 1000, 0);
  EXPECT_FALSE(interval_of(few_runs, "alpha").has_value());
  EXPECT_EQ(
      few_runs.why_no_interval().value(),
      "4 runs for 2 parameters: beyond either end would lie one resample in 1.2e+05, and there are 1000: run more "
      "models");
}

TEST(Bootstrap, OfAStraightLineHasTheStandardErrorOfTextbooks) {
  // Least squares of log y on log x: numpy's polyfit(log x, log y, 1, cov='unscaled') times s² of n - 2 degrees. The
  // spread of the resamples comes near it, by the chance of 4,000 draws and of the pooled residuals' own variance.
  const std::vector<FitPoint> points = noisy();
  const Bootstrap laws = bootstrap(points, false, 4000, 0);
  double xx = 0;
  double x_mean = 0;
  for (const FitPoint& point : points) x_mean += std::log(point.x) / 8;
  for (const FitPoint& point : points) xx += std::pow(std::log(point.x) - x_mean, 2);
  const LawFit fit = fit_law(points, form(false));
  const double standard_error = std::sqrt(2 * fit.found.objective / 6 / xx);
  double square = 0;
  for (const Law& law : laws.laws) square += std::pow(law.value("alpha") - fit.law().value("alpha"), 2) / 4000;
  EXPECT_NEAR(std::sqrt(square) / standard_error, 1, 0.1);
}

TEST(Bootstrap, PercentilesAreExpandedForFewRuns) {
  // scipy: norm.cdf(-t.ppf(0.975, 10))
  EXPECT_NEAR(*percentile_level(12, 2), 0.012935628581961504, 1e-12);
  EXPECT_NEAR(*percentile_level(1'000'000, 2), 0.025, 1e-5);
  EXPECT_FALSE(percentile_level(5, 5).has_value());
}

std::vector<Influence> influences_of(const std::vector<FitPoint>& points) {
  return leave_one_out(points, form(false), fit_law(points, form(false)).found);
}

TEST(Influence, ThePlantedOutlierMattersMost) {
  std::vector<FitPoint> points = planted(power_law(100, 0.5), {1, 2, 4, 8, 16, 32});
  points[5].y *= 1.5;
  const auto influences = influences_of(points);
  ASSERT_EQ(influences.size(), 6U);
  EXPECT_NEAR(influences[5].law->value("alpha"), 0.5, 1e-12);
  EXPECT_NEAR(std::sqrt(*influences[5].held_out_square), std::log(1.5), 1e-12);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_GT(std::abs(influences[i].law->value("alpha") - 0.5), 0.01);
}

TEST(Influence, LeavingOutTheLargestXShowsHowFarTheLawCanBeTrusted) {
  const auto points = planted(power_law_with_floor(5, 100, 0.5), {1, 4, 16, 64, 256, 1024});
  EXPECT_NEAR(largest_held_out(points, form(true))->ratio, 1, 1e-6);
  EXPECT_LT(largest_held_out(points, form(false))->ratio, 0.9);  // the floor is missed
  EXPECT_FALSE(largest_held_out(planted(power_law(1, 1), {1, 2, 3}), form(false)).has_value());
}

FitRequest quick_request() {
  FitRequest request;
  request.num_resamples = 400;
  return request;
}

TEST(FitReport, PrefersTheFloorWhereOneWasPlantedAndNotElsewhere) {
  EXPECT_EQ(preferred_form(make_fit_report(noisy(), quick_request())).form, Form::kPowerFloor);
  EXPECT_EQ(preferred_form(make_fit_report(paper(), quick_request())).form, Form::kPower);
}

TEST(FitReport, KeepsFullPrecisionInJson) {
  const FitReport report = make_fit_report(noisy(), quick_request());
  const common::Json json = common::Json::parse(to_json(report).dump());
  const LawFit& fit = *report.forms[1].fit;
  EXPECT_EQ(json["forms"]["power_floor"]["parameters"]["alpha"].get<double>(), fit.law().value("alpha"));
  EXPECT_EQ(json["parameters"]["alpha"].get<double>(), fit.law().value("alpha"));  // the preferred form's
  EXPECT_EQ(json["objective"].get<double>(), fit.found.objective);
  EXPECT_EQ(json["bootstrap"]["seed"], 0);
  EXPECT_EQ(json["intervals_95"]["alpha"].size(), 2U);
}

TEST(FitReport, ShowsFiveDigitsAndTheObjective) {
  const FitReport report = make_fit_report(noisy(), quick_request());
  // scipy: E 1.99917…, alpha 0.403405, half the sum of squares 0.00028148.
  EXPECT_THAT(to_text(report), AllOf(HasSubstr("1.9992"), HasSubstr("0.4034"), HasSubstr("objective 0.00028148")));
}

TEST(FitReport, OfFewRunsGivesTheIntervalByProfile) {
  std::vector<FitPoint> points = noisy();
  points.resize(4);
  FitRequest request = quick_request();
  request.forms = {Form::kPower};
  const FitReport report = make_fit_report(points, request);
  const FormReport& form = report.forms[0];
  EXPECT_FALSE(form.bootstrap_intervals[1].has_value());
  // A straight line's: alpha -+ t s / sqrt(sum of (log x - its mean)²), by numpy.
  EXPECT_NEAR(form.interval_of("alpha")->low, 0.06067722305138054, 1e-6);
  EXPECT_NEAR(form.interval_of("alpha")->high, 0.17806099802691908, 1e-6);
  EXPECT_THAT(to_text(report), AllOf(HasSubstr("by profile ["), HasSubstr("no intervals by bootstrap: 4 runs for 2")));
  const common::Json json = to_json(report);
  EXPECT_TRUE(json["intervals_95"]["alpha"].is_null());
  EXPECT_THAT(json["bootstrap"]["reason"].get<std::string>(), HasSubstr("run more models"));
}

TEST(FitReport, OfFewRunsOfManyPointsSaysThatTheProfileIsTooNarrow) {
  std::vector<FitPoint> points = noisy();
  for (std::size_t i = 0; i < points.size(); ++i) points[i].run = i < 3 ? "a" : i < 6 ? "b" : "c";
  FitRequest request = quick_request();
  request.forms = {Form::kPower};
  const FitReport report = make_fit_report(points, request);
  EXPECT_FALSE(report.forms[0].interval_of("alpha").has_value());
  EXPECT_THAT(to_text(report), HasSubstr("they take the points of a run for independent"));
}

TEST(FitReport, TheNoiseOfOneRunIsThatOfSeedsWhereThereAreEnough) {
  // Three runs at each of four sizes: deviations of log y of -0.02, 0, 0.02 around a law, so 0.02 within each size.
  std::vector<FitPoint> points;
  for (const double x : {1e6, 1e7, 1e8, 1e9}) {
    for (const double off : {-0.02, 0.0, 0.02}) {
      const std::string name = std::to_string(points.size());
      points.push_back({x, power_law(100, 0.3).at(x) * std::exp(off), name, name});
    }
  }
  FitRequest request = quick_request();
  request.forms = {Form::kPower};
  const FitReport report = make_fit_report(points, request);
  const RunNoise noise = run_noise(report, report.forms[0]).value();
  EXPECT_TRUE(noise.of_repeats);
  EXPECT_EQ(noise.freedom, 8);
  EXPECT_NEAR(noise.log_deviation, 0.02, 1e-12);
  // Without repeats: the residuals', with the fit's degrees of freedom.
  const FitReport single = make_fit_report(noisy(), request);
  const RunNoise residual = run_noise(single, single.forms[0]).value();
  EXPECT_FALSE(residual.of_repeats);
  EXPECT_EQ(residual.freedom, 6);
  EXPECT_NEAR(residual.log_deviation, std::sqrt(2 * single.forms[0].fit->found.objective / 6), 1e-9);
}

TEST(FitReport, OnlyPointsOfOneConfigurationAreRepeats) {
  std::vector<FitPoint> points;
  for (const double x : {1e6, 1e7, 1e8, 1e9}) {
    for (const char* block : {"adaln", "adaln_zero"}) points.push_back({x, 1e3 / std::sqrt(x), "", block, 1, block});
  }
  FitRequest request = quick_request();
  request.forms = {Form::kPower};
  EXPECT_EQ(make_fit_report(points, request).replicate_freedom, 0U);
  for (FitPoint& point : points) point.configuration = "one";
  // Equal but for the last bit: no noise.
  for (std::size_t i = 0; i < points.size(); i += 2) points[i].y = std::nextafter(points[i].y, 0);
  const FitReport report = make_fit_report(points, request);
  EXPECT_EQ(report.replicate_freedom, 4U);
  EXPECT_EQ(report.replicate_noise, 0);
}

TEST(FitReport, NamesALawThatMissesByMoreThanSeedsDiffer) {
  std::vector<FitPoint> points;
  for (const double x : {1e5, 1e6, 1e7, 1e8, 1e9}) {
    for (const double off : {-0.001, 0.001}) {
      const std::string name = std::to_string(points.size());
      points.push_back({x, power_law_with_floor(2, 400, 0.4).at(x) * std::exp(off), name, name});
    }
  }
  const FitReport report = make_fit_report(points, quick_request());
  EXPECT_THAT(report.forms[0].fit->warnings, Contains(HasSubstr("it has the wrong form")));
  EXPECT_THAT(report.forms[1].fit->warnings, Not(Contains(HasSubstr("it has the wrong form"))));
}

TEST(FitReport, HoldsOutTheLargestAndEachRunInAFigure) {
  FitReport report = make_fit_report(noisy(), quick_request());
  report.y_name = "y";
  const Figure figure = predicted_against_measured(report, "held_out", {});
  ASSERT_EQ(figure.series.size(), 3U);
  EXPECT_EQ(figure.series[1].points.size(), 8U);
  ASSERT_EQ(figure.series[2].points.size(), 1U);
  EXPECT_EQ(figure.series[2].points[0].x, 2.052394);
  const HeldOut& held_out = *preferred_form(report).held_out;
  EXPECT_EQ(figure.series[2].points[0].y, held_out.law.at(3e9));
  EXPECT_NEAR(figure.series[2].points[0].y / 2.052394, held_out.ratio, 1e-12);
}

TEST(FitReport, WritesTheNamesOfRunsBesideTheirPoints) {
  const FitReport report = make_fit_report(noisy(), quick_request());
  const RunNames names{{"run 2", "XL/2"}};
  for (const Figure& figure :
       {residuals(report, "residuals", names), predicted_against_measured(report, "held_out", names)}) {
    EXPECT_EQ(figure.series[1].points[2].label, "XL/2") << figure.name;
    EXPECT_EQ(figure.series[1].points[3].label, "point 3") << figure.name;
    EXPECT_EQ(figure.table.rows[2][1], "point 2") << figure.name;
  }
}

TEST(FitReport, DrawsTheLawInItsBandAndShadesWhatLiesBeyond) {
  FitReport report = make_fit_report(noisy(), quick_request());
  report.asked = {{3e10, 1}};
  const Figure figure = law_with_band(report, "fit");
  EXPECT_EQ(figure.x.data, std::pair(1e6, 3e9));
  EXPECT_EQ(figure.series[0].look, Series::Look::kArea);
  EXPECT_NEAR(figure.series[1].points.back().x, 3e10, 1);
  const std::string script = picture_script(figure, picture_size_from("page"), {"a.svg", "a.png", "a.pdf"});
  EXPECT_THAT(script, HasSubstr("rectangle from first 3000000000, graph 0 to graph 1, graph 1"));
}

TEST(FitReport, NamesAnExtrapolation) {
  FitReport report = make_fit_report(noisy(), quick_request());
  report.asked = {{3e10, 1}};
  EXPECT_THAT(to_text(report), HasSubstr("10 times beyond it: an extrapolation"));
}

}  // namespace
}  // namespace ditscale::analysis
