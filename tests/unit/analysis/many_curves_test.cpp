#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/figures/loss_figures.hpp"
#include "analysis/figures/setting_figures.hpp"
#include "analysis/figures/spread.hpp"
#include "analysis/figures/study_figures.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::analysis {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr std::array kDesigns{sweeps::BlockDesign::kAdaLnZero, sweeps::BlockDesign::kAdaLn,
                              sweeps::BlockDesign::kInContext, sweeps::BlockDesign::kCrossAttention};

/// Studies of more trials than a figure has curves.
class ManyCurves : public ::testing::Test {
 protected:
  void put(const sweeps::TrialSpec& spec, double loss = 0.2) {
    test::put_finished_trial(writer_, spec, position_++, 100, loss);
  }
  void put_designs(std::int64_t width, std::int64_t seed, std::size_t num_designs) {
    for (std::size_t i = 0; i < num_designs; ++i) {
      sweeps::TrialSpec spec = test::small_spec(width, 7, seed);
      spec.model.block = kDesigns[i];
      put(spec);
    }
  }
  [[nodiscard]] Figure by_block() const {
    const Study study = load_study(file_);
    return score_by_block({study, "fid", "FID", choose_settings(study, "fid", "")});
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "results.db";
  results::ResultsWriter writer_{file_};
  std::int64_t position_ = 0;
};

std::string design_of(const Series& series) { return series.name.substr(series.name.rfind(' ') + 1); }

TEST_F(ManyCurves, OfBlockDesignsAreOfWholeGroupsAndTheTitleSaysHowMany) {
  for (std::int64_t size = 1; size <= 8; ++size) put_designs(32 * size, 0, 4);
  const Figure figure = by_block();
  EXPECT_THAT(figure.title, HasSubstr("24 of 32 trials"));
  std::map<std::string, int> num_of_design;
  std::map<std::string, std::set<std::size_t>> colours;
  std::set<std::pair<std::size_t, std::size_t>> without_colour;
  for (const Series& series : figure.series) {
    ++num_of_design[design_of(series)];
    colours[design_of(series)].insert(series.style->colour);
    without_colour.emplace(series.style->mark % 10, series.style->dash % 4);
  }
  EXPECT_THAT(num_of_design,
              ElementsAre(Pair("adaln", 6), Pair("adaln_zero", 6), Pair("cross_attention", 6), Pair("in_context", 6)));
  EXPECT_THAT(colours, Each(Pair(::testing::_, SizeIs(1))));
  EXPECT_THAT(without_colour, SizeIs(24));
  EXPECT_EQ(figure.series.front().name, "width=32 adaln");
  EXPECT_THAT(figure.table.rows, SizeIs(32 * 3)) << "the numbers are of all";
}

TEST_F(ManyCurves, OfSeedsGiveWayToAllDesigns) {
  for (std::int64_t seed = 0; seed < 13; ++seed) put_designs(64, seed, 2);
  const Figure figure = by_block();
  EXPECT_THAT(figure.title, HasSubstr("2 of 26 trials"));
  EXPECT_THAT(figure.series, SizeIs(2));
  EXPECT_NE(design_of(figure.series[0]), design_of(figure.series[1]));
}

TEST_F(ManyCurves, OfOneModelSayTheirSeeds) {
  for (std::int64_t seed = 0; seed < 2; ++seed) put_designs(64, seed, 2);
  std::set<std::string> names;
  for (const Series& series : by_block().series) names.insert(series.name);
  EXPECT_THAT(names, ElementsAre("adaln seed=0", "adaln seed=1", "adaln_zero seed=0", "adaln_zero seed=1"));
}

/// Widths times learning rates and seeds.
class SecondAxis : public ManyCurves {
 protected:
  void put_rates(std::int64_t width, std::int64_t num_seeds = 1) {
    for (const double lr : {1e-3, 3e-3}) {
      for (std::int64_t seed = 0; seed < num_seeds; ++seed) {
        sweeps::TrialSpec spec = test::small_spec(width, 7, seed);
        spec.train.lr = lr;
        put(spec);
      }
    }
  }
  [[nodiscard]] Figure by_gflops() const {
    const Study study = load_study(file_);
    const ScorePoints points = score_points(study, "fid", choose_settings(study, "fid", "").id);
    return score_by_forward_gflops({study, points, "FID", "fid"}, Law{Form::kPower, {100, -0.1}});
  }
};

TEST_F(SecondAxis, HasASeriesForEachOfItsValues) {
  for (const std::int64_t width : {32, 64, 96}) put_rates(width);
  const Figure figure = by_gflops();
  ASSERT_THAT(figure.series, SizeIs(3));
  EXPECT_THAT(figure.series[0].name, HasSubstr("fit over lr: "));
  EXPECT_EQ(figure.series[1].name, "patch 7, lr=0.001");
  EXPECT_EQ(figure.series[2].name, "patch 7, lr=0.003");
  int num_labels = 0;
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(figure.series[i].look, Series::Look::kPointsAndLine);
    ASSERT_THAT(figure.series[i].points, SizeIs(3));
    for (const FigurePoint& point : figure.series[i].points) num_labels += point.label.empty() ? 0 : 1;
  }
  EXPECT_EQ(num_labels, 3) << "one for each size";
}

TEST_F(SecondAxis, SeedsAreNotJoined) {
  for (const std::int64_t width : {32, 64}) put_rates(width, 2);
  const Figure figure = by_gflops();
  ASSERT_THAT(figure.series, SizeIs(3));
  EXPECT_EQ(figure.series[1].look, Series::Look::kPoints);
  EXPECT_THAT(figure.note, HasSubstr("not joined"));
}

TEST_F(SecondAxis, NamesLossCurves) {
  put_rates(64);
  const Study study = load_study(file_);
  const Figure figure = loss_by_step(study, loss_curves(study));
  ASSERT_THAT(figure.series, SizeIs(2));
  EXPECT_EQ(figure.series[0].name, "lr=0.001");
  EXPECT_EQ(figure.series[1].name, "lr=0.003");
}

TEST_F(ManyCurves, OfFewTrialsAreAllThereWithoutAWord) {
  put_designs(64, 0, 3);
  put(test::small_spec(128));  // of one design only
  const Figure figure = by_block();
  EXPECT_THAT(figure.title, Not(HasSubstr("trials")));
  EXPECT_THAT(figure.series, SizeIs(3));
}

TEST_F(ManyCurves, OfSettingsSayHowManyAreShown) {
  for (std::int64_t seed = 0; seed < 30; ++seed) {
    const sweeps::TrialSpec spec = test::small_spec(64, 7, seed);
    put(spec);
    const common::Json settings{{"sampler", "ddim"},         {"steps", 50},
                                {"guidance", 4.0},           {"num_samples", 2000},
                                {"sample_seed", 0},          {"features", "fashion_cnn"},
                                {"features_digest", "f00d"}, {"reference_digest", "beef"},
                                {"rounding", "truncate"},    {"labels", "uniform"},
                                {"weights", "ema"}};
    test::MadeUpAttempt again(spec, 2);
    writer_.start_attempt(again.record());
    again.started(300).add("evaluation", 300,
                           {{"settings", settings},
                            {"values", {{"fid", 90}}},
                            {"num_samples", 2000},
                            {"seconds", 1.0},
                            {"sampling_macs", 0}});
    writer_.ingest(again.events());
  }
  const Study study = load_study(file_);
  results::SettingsRow one = study.settings.front();
  const Figure figure = score_by_guidance({study, "fid", "FID", one});
  EXPECT_THAT(figure.series, SizeIs(kMostCurves));
  EXPECT_THAT(figure.title, HasSubstr("24 of 30 trials"));
}

TEST_F(ManyCurves, HaveTheLowerEnvelopeOfAllTrials) {
  constexpr std::int64_t kNotShown = 4;
  for (std::int64_t seed = 0; seed < 30; ++seed) put(test::small_spec(64, 7, seed), seed == kNotShown ? 0.01 : 0.2);
  const Study study = load_study(file_);
  const LossCurves curves = loss_curves(study);
  for (const LossCurve& curve : curves.shown) EXPECT_NE(curve.trial, &study.trials[kNotShown]);
  const Figure figure = loss_by_training_flops(study, curves);
  EXPECT_THAT(figure.title, HasSubstr("24 of 30 trials"));
  ASSERT_EQ(figure.series.front().name, "lower envelope");
  EXPECT_LT(figure.series.front().points.back().y, 0.02);
}

TEST(Spread, GoesFromTheFirstToTheLast) {
  EXPECT_THAT(spread_places(3, 5), ElementsAre(0, 1, 2));
  EXPECT_THAT(spread_places(9, 3), ElementsAre(0, 4, 8));
  EXPECT_THAT(spread_places(9, 1), ElementsAre(8));
  EXPECT_THAT(spread_places(0, 3), ElementsAre());
}

}  // namespace
}  // namespace ditscale::analysis
