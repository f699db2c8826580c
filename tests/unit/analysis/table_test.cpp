#include "analysis/tables/table.hpp"

#include <gtest/gtest.h>

#include "analysis/tables/cell_text.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {
namespace {

Table sample() {
  Table table;
  table.columns = {
      {"label", Column::Kind::kText, 4, true}, {"parameters", Column::Kind::kInteger}, {"fid", Column::Kind::kNumber}};
  table.rows = {{"model.patch=4, \"small\"", 1283744, 153.6}, {"große Breite|x", 12, nullptr}};
  return table;
}

TEST(TableText, AlignsTextLeftAndNumbersRight) {
  EXPECT_EQ(to_text(sample()),
            "label                   parameters    fid\n"
            "model.patch=4, \"small\"   1,283,744  153.6\n"
            "große Breite|x                  12      -\n");
}

TEST(TableText, GivesWayOnANarrowTerminal) {
  EXPECT_EQ(to_text(sample(), 32),
            "label          parameters    fid\n"
            "model.patch=…   1,283,744  153.6\n"
            "große Breite…          12      -\n");
}

TEST(TableText, KeepsALineBreakInACellFromTearingTheTable) {
  Table table;
  table.columns = {{"reason"}};
  table.rows = {{"one\ntwo"}};
  EXPECT_EQ(to_text(table), "reason\none two\n");
}

TEST(TableCsv, QuotesWhatNeedsItAndLeavesNothingEmpty) {
  EXPECT_EQ(to_csv(sample()),
            "label,parameters,fid\r\n"
            "\"model.patch=4, \"\"small\"\"\",1283744,153.6\r\n"
            "große Breite|x,12,\r\n");
}

TEST(TableCsv, NumbersReadBackTheSame) {
  Table table;
  table.columns = {{"x", Column::Kind::kNumber}};
  table.rows = {{0.1 + 0.2}, {1e-300}};
  EXPECT_EQ(to_csv(table), "x\r\n0.30000000000000004\r\n1e-300\r\n");
}

TEST(TableJson, KeepsTypesAndNulls) {
  const common::Json json = to_json(sample());
  EXPECT_EQ(json[0]["parameters"], 1283744);
  EXPECT_TRUE(json[1]["fid"].is_null());
}

TEST(TableMarkdown, EscapesBars) {
  EXPECT_EQ(to_markdown(sample()),
            "| label | parameters | fid |\n"
            "| --- | ---: | ---: |\n"
            "| model.patch=4, \"small\" | 1,283,744 | 153.6 |\n"
            "| große Breite\\|x | 12 | - |\n");
}

TEST(TableFormat, IsKnownByName) {
  EXPECT_EQ(format_from("md"), Format::kMarkdown);
  EXPECT_THROW((void)format_from("xml"), common::UsageError);
}

TEST(CellText, GroupsThousandsAndRoundsToSignificantDigits) {
  const Column integer{"n", Column::Kind::kInteger};
  const Column number{"x", Column::Kind::kNumber};
  EXPECT_EQ(cell_text(-1234567, integer), "-1,234,567");
  EXPECT_EQ(cell_text(999, integer), "999");
  EXPECT_EQ(cell_text(0.0357974, number), "0.03580");
  EXPECT_EQ(cell_text(118.6214, number), "118.6");
  EXPECT_EQ(cell_text(1234.0, number), "1234");
}

}  // namespace
}  // namespace ditscale::analysis
