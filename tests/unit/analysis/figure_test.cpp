#include "analysis/figures/figure.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/figures/gnuplot.hpp"
#include "analysis/figures/gnuplot_script.hpp"
#include "analysis/figures/labels.hpp"
#include "analysis/figures/study_figures.hpp"
#include "analysis/figures/write_figure.hpp"
#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/json_document.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::analysis {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Figure sample(const std::string& title = "title") {
  Figure figure;
  figure.name = "sample";
  figure.title = title;
  figure.x = {"x", true};
  figure.y = {"FID (fashion_cnn features)", false};
  figure.series = {{"a", {{1, 300, "w64"}, {10, 200, "w128"}}}, {"b", {{2, 280, "w64"}}}};
  figure.table.columns = {{"x"}};
  figure.table.rows = {{1.0}, {10.0}};
  return figure;
}

TEST(Scale, HasRoundMarksInsideItsRange) {
  for (const bool logarithmic : {false, true}) {
    for (const double low : {1e-4, 0.3, 7.0, 1e9}) {
      for (const double factor : {1.0, 1.001, 1.4, 3.0, 12.0, 1e3, 1e7, 1e20}) {
        const Scale scale = scale_for({low, low * factor}, logarithmic);
        EXPECT_LT(scale.low, low) << low << " " << factor;
        EXPECT_GT(scale.high, low * factor) << low << " " << factor;
        EXPECT_GE(scale.ticks.size(), 2U) << low << " " << factor << " " << logarithmic;
        EXPECT_LE(scale.ticks.size(), 12U) << low << " " << factor << " " << logarithmic;
        EXPECT_THAT(scale.ticks, Each(::testing::AllOf(::testing::Ge(scale.low), ::testing::Le(scale.high * 1.0001))));
      }
    }
  }
}

TEST(Scale, StartsAtZeroWhereTheDataComeNear) {
  EXPECT_EQ(scale_for({20, 150}, false).low, 0);
  EXPECT_GT(scale_for({140, 150}, false).low, 100);
}

TEST(TickText, IsShortAndReadable) {
  EXPECT_EQ(tick_text(250, false), "250");
  EXPECT_EQ(tick_text(0.02, false), "0.02");
  EXPECT_EQ(tick_text(2e13, false), "2×10¹³");
  EXPECT_EQ(tick_text(1e-6, false), "10⁻⁶");
  EXPECT_EQ(tick_text(2e13, true), "2e13");
  EXPECT_EQ(tick_text(1e15, true), "1e15");
}

TEST(Labels, OverlapNeitherEachOtherNorTheBorder) {
  Series crowd{"crowd", {}};
  for (int i = 0; i < 60; ++i) crowd.points.push_back({1.0 + i % 8, 1.0 + i / 8.0, "a label"});
  const PlotArea area;
  const Scale x = scale_for({1, 9}, false);
  const Scale y = scale_for({1, 9}, false);
  const auto labels = place_labels({crowd}, x, y, area);
  EXPECT_GT(labels.size(), 3U);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    EXPECT_GT(labels[i].x * area.width, area.left);
    for (std::size_t j = 0; j < i; ++j) {
      const bool apart = std::abs(labels[i].x - labels[j].x) * area.width > 7 * 7 ||
                         std::abs(labels[i].y - labels[j].y) * area.height >= 15;
      EXPECT_TRUE(apart) << i << " " << j;
    }
  }
}

TEST(LowerEnvelope, KeepsWhatNothingCheaperUndercuts) {
  const auto envelope =
      lower_envelope({{4, 50, ""}, {1, 100, ""}, {2, 120, ""}, {3, 60, ""}, {3, 55, ""}, {5, 52, ""}});
  std::vector<double> xs;
  for (const FigurePoint& point : envelope) xs.push_back(point.x);
  EXPECT_THAT(xs, ElementsAre(1, 3, 4));
  EXPECT_EQ(envelope[1].y, 55);
}

TEST(GnuplotScript, QuotesUserTextSoThatNothingIsExecuted) {
  EXPECT_EQ(quoted(std::string("it's `touch x` \"$(y)\"\n@z")), "'it’s `touch x` \"$(y)\"@z'");
  EXPECT_EQ(quoted(std::filesystem::path("/a's/b")), "'/a''s/b'");
}

TEST(GnuplotScript, HostileNamesDrawAndExecuteNothing) {
  const test::TemporaryFolder folder;
  const std::string victim = (folder / "victim").string();
  const Figure figure = sample("'; system('touch " + victim + "'); set title ' `touch " + victim + "`");
  (void)write_figure(figure, folder / "out", {"1", "r", {"analysis"}}, common::Json::object());
  EXPECT_FALSE(std::filesystem::exists(victim));
}

TEST(WriteFigure, LeavesPicturesDataAndTheirOrigin) {
  const test::TemporaryFolder folder;
  const auto files = write_figure(sample(), folder / "a folder's name", {"0.1", "abc123", {"analysis", "curves"}},
                                  {{"database", "x.db"}});
  ASSERT_EQ(files.size(), 4U);
  EXPECT_THAT(common::read_file(files[0]), HasSubstr("<svg"));
  EXPECT_THAT(common::read_file(files[0]), HasSubstr("FID (fashion_cnn features)"));
  EXPECT_EQ(common::read_file(files[1]).substr(1, 3), "PNG");
  const auto json = common::read_json(files[3]).value;
  EXPECT_EQ(json["data"]["xxh3_128"], common::hash_hex128(common::read_file(files[2])));
  EXPECT_EQ(json["program"]["revision"], "abc123");
  EXPECT_EQ(json["program"]["command_line"], common::Json({"analysis", "curves"}));
  EXPECT_EQ(json["database"], "x.db");
  EXPECT_EQ(json["num_points"], 3);
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder / "a folder's name")) ++entries;
  EXPECT_EQ(entries, 4U) << "a temporary file was left";
}

TEST(FigureText, FitsIntoTheTerminal) {
  const std::string text = figure_text(sample(), 80, 24);
  EXPECT_THAT(text, HasSubstr("FID (fashion_cnn features)"));
  EXPECT_THAT(text, HasSubstr("o"));
  std::size_t start = 0;
  for (std::size_t end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    EXPECT_LE(end - start, 80U);
  }
}

TEST(Gnuplot, AFailureCarriesItsWords) {
  try {
    run_gnuplot("plot nothing_of_that_name\n");
    FAIL();
  } catch (const common::SystemError& error) {
    EXPECT_THAT(error.what(), HasSubstr("nothing_of_that_name"));
  }
}

TEST(Gnuplot, AMissingProgramNamesThePackage) {
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  std::string message;
  try {
    run_gnuplot("");
  } catch (const common::SystemError& error) {
    message = error.what();
  }
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(message, HasSubstr("gnuplot-nox"));
}

}  // namespace
}  // namespace ditscale::analysis
