#include "analysis/figures/figure.hpp"

#include <cmath>
#include <limits>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/figures/gnuplot.hpp"
#include "analysis/figures/gnuplot_script.hpp"
#include "analysis/figures/labels.hpp"
#include "analysis/figures/lower_envelope.hpp"
#include "analysis/figures/placeable.hpp"
#include "analysis/figures/write_figure.hpp"
#include "analysis/tables/cell_text.hpp"
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

TEST(Scale, HasFewMarksOfValuesThatNearlyCoincideAndOfExtremeOnes) {
  const double least = std::numeric_limits<double>::min();
  const double most = std::numeric_limits<double>::max();
  const std::vector<std::vector<double>> cases{
      {30.0, std::nextafter(30.0, 31.0)}, {1e300}, {1e-300}, {1, 1e300}, {least, most}, {most}, {least}};
  for (const auto& values : cases) {
    for (const bool logarithmic : {false, true}) {
      const Scale scale = scale_for(values, logarithmic);
      EXPECT_LE(scale.ticks.size(), 12U) << values[0] << " " << logarithmic;
      EXPECT_TRUE(std::isfinite(scale.low) && std::isfinite(scale.high)) << values[0] << " " << logarithmic;
      EXPECT_LT(scale.low, scale.high) << values[0] << " " << logarithmic;
    }
  }
}

TEST(Scale, StartsAtZeroWhereTheDataComeNear) {
  EXPECT_EQ(scale_for({20, 150}, false).low, 0);
  EXPECT_GT(scale_for({140, 150}, false).low, 100);
}

TEST(Placeable, LeavesOutWhatHasNoPlaceOnALogarithmicAxis) {
  Figure figure = sample();
  figure.series[0].points.insert(figure.series[0].points.begin(), {{0, 300, ""}, {-1, 300, ""}, {INFINITY, 300, ""}});
  figure.series[0].points.push_back({20, 0, ""});  // the other axis is linear
  const Figure shown = placeable(figure);
  EXPECT_EQ(shown.series[0].points.size(), 3U);
  EXPECT_THAT(shown.note, HasSubstr("axis: 3."));
  EXPECT_TRUE(placeable(sample()).note.empty());
  figure.series = {{"a", {{0, 300, ""}}}};
  EXPECT_TRUE(placeable(figure).empty());
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
      const bool apart = std::abs(labels[i].x - labels[j].x) * area.width > 7 * 6 ||
                         std::abs(labels[i].y - labels[j].y) * area.height >= 12;
      EXPECT_TRUE(apart) << i << " " << j;
    }
  }
}

TEST(Labels, LieAgainstTheirPointsOnWhicheverSide) {
  const PlotArea area;
  const Scale x = scale_for({1, 9}, false);
  const Scale y = scale_for({1, 9}, false);
  const auto anchor_at = [&](double point_x, double point_y, const std::vector<FigurePoint>& wall) {
    const double at = (area.left + x.place(point_x) * (area.right - area.left)) / area.width;
    const auto labels =
        place_labels({{"one", {{point_x, point_y, "a long label"}}}, {"wall", wall, Series::Look::kLine}}, x, y, area);
    EXPECT_EQ(labels.size(), 1U);
    const double away_px = std::abs(labels.at(0).x - at) * area.width;
    EXPECT_LT(away_px, 10) << "the end of the text, or its middle, is at the point";
    return labels.at(0).anchor;
  };
  EXPECT_EQ(anchor_at(2, 5, {}), PlacedLabel::Anchor::kLeft);
  EXPECT_EQ(anchor_at(9, 5, {}), PlacedLabel::Anchor::kRight);
  // Lines to its left and its right leave room above and below only.
  EXPECT_EQ(anchor_at(5, 5, {{4.3, 5.5, ""}, {4.3, 4.5, ""}, {5.7, 4.5, ""}, {5.7, 5.5, ""}}),
            PlacedLabel::Anchor::kCentre);
}

Figure many_series(std::size_t num, Series::Look look) {
  Figure figure = sample();
  figure.series.clear();
  for (std::size_t i = 0; i < num; ++i) {
    const double y = 100 + static_cast<double>(i);
    figure.series.push_back(
        {"a series with a name of some length " + std::to_string(i), {{1, y, ""}, {2, y, ""}}, look});
  }
  return figure;
}

/// Of each series, its part of the plot command without its colour and its title.
std::set<std::string> looks_without_colour(const Figure& figure) {
  const std::string script = picture_script(figure, picture_size_from("page"), {"a.svg", "a.png", "a.pdf"});
  const std::regex look("\\$data[0-9]+ (with [^,\n]*) title");
  const std::regex colour("lc rgb '[^']*' ");
  const std::string first =
      script.substr(script.find("plot $data0"), script.find("set key spacing 1") - script.find("plot"));
  std::set<std::string> looks;
  for (std::sregex_iterator at(first.begin(), first.end(), look), end; at != end; ++at) {
    looks.insert(std::regex_replace((*at)[1].str(), colour, ""));
  }
  return looks;
}

TEST(Looks, OfAllCurvesOfAFigureDifferWithoutColour) {
  EXPECT_EQ(looks_without_colour(many_series(24, Series::Look::kLine)).size(), 24U);
  EXPECT_EQ(looks_without_colour(many_series(24, Series::Look::kPointsAndLine)).size(), 24U);
  EXPECT_EQ(looks_without_colour(many_series(10, Series::Look::kPoints)).size(), 10U);
}

TEST(Looks, OfALineHaveMarksSoThatOnePointIsSeen) {
  EXPECT_THAT(*looks_without_colour(many_series(1, Series::Look::kLine)).begin(), HasSubstr("with linespoints"));
}

TEST(Looks, ThatSayWhatASeriesIsAreDrawnSo) {
  Figure figure = many_series(2, Series::Look::kPointsAndLine);
  figure.series[0].style = SeriesStyle{2, 0, 0};
  figure.series[1].style = SeriesStyle{2, 1, 0};
  const std::string script = picture_script(figure, picture_size_from("page"), {"a.svg", "a.png", "a.pdf"});
  EXPECT_THAT(script, HasSubstr("$data0 with linespoints lc rgb '#009E73' lw 1.5 dt 1 pt 7"));
  EXPECT_THAT(script, HasSubstr("$data1 with linespoints lc rgb '#009E73' lw 1.5 dt 1 pt 5"));
}

class LayoutOf : public ::testing::TestWithParam<const char*> {};

TEST_P(LayoutOf, LeavesRoomForThePlotAndKeepsAllTextOnTheCanvas) {
  const PictureSize size = picture_size_from(GetParam());
  for (const std::size_t num : {1U, 3U, 24U}) {
    Figure figure = many_series(num, Series::Look::kLine);
    figure.title = std::string(150, 'x') + " " + std::string(150, 'y');
    figure.x.label = "forward Gflops (paper's convention: multiply-accumulates / 10^9)";
    for (const bool with_hosts : {false, true}) {
      if (with_hosts)
        figure.y.categories = {"a-very-long-host-name-of-a-cluster-node-0017.cluster.example.org gpu 3", "b"};
      const Layout layout = layout_of(figure, {"100", "200"}, size);
      const PlotArea& area = layout.area;
      EXPECT_EQ(area.width, size.width);
      EXPECT_GT(area.right - area.left, 0.4 * size.width);
      EXPECT_GT(area.top - area.bottom, 0.4 * size.height);
      for (const auto& lines : {layout.title, layout.x_label}) {
        for (const std::string& line : lines) {
          const double half = kCharacter_px * static_cast<double>(width_of(line)) / 2;
          EXPECT_GE((area.left + area.right) / 2 - half, 0) << line;
          EXPECT_LE((area.left + area.right) / 2 + half, size.width) << line;
        }
      }
      for (const std::string& name : layout.categories) {
        EXPECT_LT(kCharacter_px * static_cast<double>(width_of(name)), area.left);
      }
      const double legend = kCharacter_px * static_cast<double>(width_of(layout.names[0]));
      const bool below = layout.legend_columns > 0;
      EXPECT_LT(below ? legend * static_cast<double>(layout.legend_columns) : area.right + legend, size.width);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Sizes, LayoutOf, ::testing::Values("page", "column", "slide"));

TEST(LongHosts, KeepTheirEndsWhichTellThemApart) {
  Figure figure = sample();
  figure.y.categories = {"a-very-long-host-name-of-a-cluster-node-0017 gpu 3",
                         "a-very-long-host-name-of-a-cluster-node-0018 gpu 3"};
  const Layout layout = layout_of(figure, {}, picture_size_from("column"));
  EXPECT_NE(layout.categories[0], layout.categories[1]);
  EXPECT_THAT(layout.categories[0], HasSubstr("gpu 3"));
}

TEST(Wrapped, BreaksAtSpacesAndCutsTheLastLine) {
  EXPECT_THAT(wrapped("one two three four", 8, 3), ElementsAre("one two", "three", "four"));
  EXPECT_THAT(wrapped("one two three four", 8, 2), ElementsAre("one two", "three f…"));
  EXPECT_THAT(wrapped("incomprehensibilities", 8, 2), ElementsAre("incompr…"));
  EXPECT_THAT(wrapped("", 8, 2), ElementsAre());
}

TEST(LowerEnvelope, KeepsWhatNothingCheaperUndercuts) {
  const auto envelope =
      lower_envelope({{4, 50, ""}, {1, 100, ""}, {2, 120, ""}, {3, 60, ""}, {3, 55, ""}, {5, 52, ""}});
  std::vector<double> xs;
  for (const FigurePoint& point : envelope) xs.push_back(point.x);
  EXPECT_THAT(xs, ElementsAre(1, 3, 4));
  EXPECT_EQ(envelope[1].y, 55);
  const auto upper = upper_envelope({{2, 5, ""}, {1, 4, ""}, {3, 4.5, ""}});
  ASSERT_EQ(upper.size(), 2U);
  EXPECT_EQ(upper[1].y, 5);
}

TEST(GnuplotScript, QuotesUserTextSoThatNothingIsExecuted) {
  EXPECT_EQ(quoted(std::string("it's `touch x` \"$(y)\"\n@z")), "'it’s `touch x` \"$(y)\"@z'");
  EXPECT_EQ(quoted(std::filesystem::path("/a's/b")), "'/a''s/b'");
}

TEST(GnuplotScript, HostileNamesDrawAndExecuteNothing) {
  const test::TemporaryFolder folder;
  const std::string victim = (folder / "victim").string();
  const Figure figure = sample("'; system('touch " + victim + "'); set title ' `touch " + victim + "`");
  (void)write_figure(figure, folder / "out", {"1", "r", {"analysis"}}, common::Json::object(),
                     picture_size_from("page"));
  EXPECT_FALSE(std::filesystem::exists(victim));
}

TEST(WriteFigure, LeavesPicturesDataAndTheirOrigin) {
  const test::TemporaryFolder folder;
  const auto files = write_figure(sample(), folder / "a folder's name", {"0.1", "abc123", {"analysis", "curves"}},
                                  {{"database", "x.db"}}, picture_size_from("page"));
  ASSERT_EQ(files.size(), 5U);
  EXPECT_THAT(common::read_file(files[0]), HasSubstr("<svg"));
  EXPECT_THAT(common::read_file(files[0]), HasSubstr("FID (fashion_cnn features)"));
  EXPECT_EQ(common::read_file(files[1]).substr(1, 3), "PNG");
  EXPECT_EQ(common::read_file(files[2]).substr(0, 4), "%PDF");
  const auto json = common::read_json(files[4]).value;
  EXPECT_EQ(json["data"]["xxh3_128"], common::hash_hex128(common::read_file(files[3])));
  EXPECT_EQ(json["program"]["revision"], "abc123");
  EXPECT_EQ(json["program"]["command_line"], common::Json({"analysis", "curves"}));
  EXPECT_EQ(json["database"], "x.db");
  EXPECT_EQ(json["num_points"], 3);
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder / "a folder's name")) ++entries;
  EXPECT_EQ(entries, 5U) << "a temporary file was left";
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

TEST(FigureText, HasItsLegendBelowThePlot) {
  Figure figure = sample();
  figure.series[0].name = "a name of some length that would lie over points";
  const std::string text = figure_text(figure, 80, 24);
  EXPECT_THAT(text, HasSubstr("\n   o a name of some length that would lie over points\n   x b\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 24);
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
