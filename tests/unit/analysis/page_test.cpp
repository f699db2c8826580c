#include "analysis/report/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/report/study_page.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::analysis {
namespace {

using common::Json;
using ::testing::HasSubstr;
using ::testing::Not;

/// The data inside a page.
Json data_of(const std::string& html) {
  const std::string mark = "<script id=\"data\" type=\"application/json\">";
  const std::size_t from = html.find(mark) + mark.size();
  return Json::parse(html.substr(from, html.find("</script>", from) - from));
}

TEST(Page, TextsOfUsersNeitherEndTheScriptNorAreLost) {
  Page page;
  page.title = "</script><script>alert(1)</script>";
  const std::string html = to_html(page, "/*plotly*/");
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
  EXPECT_EQ(data_of(html)["title"], page.title);
}

TEST(Page, NeedsNoOtherFile) {
  const std::string html = to_html({}, "/*plotly*/");
  EXPECT_THAT(html, HasSubstr("/*plotly*/"));
  for (const char* reference : {"src=\"http", "href=\"http", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(reference)));
}

TEST(Page, PicturesAreInsideInBase64) {
  Page page;
  Section section;
  section.samples = {{"one", "M"}, {"two", "Ma"}, {"three", "Man"}};
  page.sections = {section};
  const Json samples = data_of(to_html(page, ""))["sections"][0]["samples"];
  EXPECT_EQ(samples[0]["image"], "data:image/png;base64,TQ==");
  EXPECT_EQ(samples[1]["image"], "data:image/png;base64,TWE=");
  EXPECT_EQ(samples[2]["image"], "data:image/png;base64,TWFu");
}

TEST(Page, StylesThatSayWhatASeriesIsAreKept) {
  Figure figure;
  figure.series = {{"styled", {{1, 2, ""}}}, {"plain", {{1, 3, ""}}}};
  figure.series[0].style = SeriesStyle{2, 3, 1};
  Page page;
  Section section;
  section.figures = {figure};
  page.sections = {section};
  const Json series = data_of(to_html(page, ""))["sections"][0]["figures"][0]["series"];
  EXPECT_EQ(series[0]["style"], Json({2, 3, 1}));
  EXPECT_TRUE(series[1]["style"].is_null());
}

TEST(StudyPage, HasTrialsScoresDevicesAndHowToDoItAgain) {
  const test::TemporaryFolder folder;
  {
    results::ResultsWriter writer(folder / "results.db");
    for (const int width : {64, 128, 192, 256}) {
      test::put_finished_trial(writer, test::small_spec(width), width, 10000.0 / width);
    }
    writer.join_node({990, 1, "here", 4, 0, 1050});
  }
  const Json data = data_of(to_html(study_page(load_study(folder / "results.db"), {"0.1", "abc", {"analysis"}}), ""));
  std::vector<std::string> ids;
  for (const Json& section : data["sections"]) ids.push_back(section["id"].get<std::string>().substr(0, 3));
  EXPECT_EQ(ids, (std::vector<std::string>{"tri", "fid", "sam", "dev", "rep"}));
  EXPECT_EQ(data["sections"][0]["tables"][0]["rows"].size(), 4U);
  const Json& devices = data["sections"][3]["figures"];
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0]["series"][0]["x"].size(), 11U);  // four bars of two ends, with gaps between
  EXPECT_EQ(devices[0]["y"]["categories"][0], "here cpu 0");
  // Four trials of 30 s on one core each, of 60 s of four.
  EXPECT_EQ(data["sections"][3]["notes"][1],
            "The nodes of the runs had 0.0667 cpu hours, of which trials held 50.0 %.");
}

}  // namespace
}  // namespace ditscale::analysis
