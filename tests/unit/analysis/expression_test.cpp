#include "analysis/queries/expression.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace ditscale::analysis {
namespace {

using common::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Filter : public ::testing::Test {
 protected:
  bool matches(const std::string& text) const {
    return Expression::parse(text).matches([&](const std::string& column) { return row_.at(column); });
  }
  std::string refusal(const std::string& text) const {
    try {
      (void)matches(text);
    } catch (const common::UsageError& error) {
      return error.what();
    }
    return "not refused";
  }
  std::map<std::string, Json> row_{{"fid", 35.5},      {"model.patch", 2},  {"state", "succeeded"},
                                   {"loss", nullptr},  {"data.flip", true}, {"evaluate[0].steps", 50},
                                   {"label", "it's 4"}};
};

TEST_F(Filter, ComparesNumbersTextAndBooleans) {
  EXPECT_TRUE(matches("fid < 40 and model.patch = 2"));
  EXPECT_FALSE(matches("fid >= 40"));
  EXPECT_TRUE(matches("state == 'succeeded'"));
  EXPECT_TRUE(matches("label = \"it's 4\""));
  EXPECT_TRUE(matches("data.flip = true"));
  EXPECT_TRUE(matches("evaluate[0].steps <> 51"));
  EXPECT_TRUE(matches("fid > -1.5e-3"));
  EXPECT_TRUE(matches("40 > fid"));
  EXPECT_TRUE(matches("state ~ 'cceed'"));
}

TEST_F(Filter, AndBindsTighterThanOrAndParenthesesWin) {
  EXPECT_TRUE(matches("fid < 40 or fid > 50 and fid > 60"));
  EXPECT_FALSE(matches("(fid < 40 or fid > 50) and fid > 60"));
  EXPECT_TRUE(matches("NOT fid > 40 AND NOT (model.patch = 4)"));
}

TEST_F(Filter, KnowsListsAndNothing) {
  EXPECT_TRUE(matches("model.patch in (2, 4)"));
  EXPECT_TRUE(matches("model.patch not in (7, 14)"));
  EXPECT_TRUE(matches("loss is null and fid is not null"));
}

TEST_F(Filter, AComparisonWithNothingIsFalse) {
  EXPECT_FALSE(matches("loss < 1"));
  EXPECT_FALSE(matches("loss > 1"));
  EXPECT_FALSE(matches("loss != 1"));
}

TEST_F(Filter, RefusesWhatDoesNotParseNamingThePlace) {
  EXPECT_THAT(refusal("fid <"), HasSubstr("expected a column or a value at character 6, found the end"));
  EXPECT_THAT(refusal("fid < 40 model.patch = 2"), HasSubstr("expected and, or, or the end"));
  EXPECT_THAT(refusal("(fid < 40"), HasSubstr("expected ')'"));
  EXPECT_THAT(refusal("fid = 'x"), HasSubstr("has no end"));
  EXPECT_THAT(refusal("fid; drop table trials"), HasSubstr("';' at character 4 means nothing"));
  EXPECT_THAT(refusal("fid < 1.2.3"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal("fid"), HasSubstr("expected a comparison"));
  EXPECT_THAT(refusal(std::string(500, '(') + "fid = 1"), HasSubstr("nested too deep"));
}

TEST_F(Filter, RefusesToCompareTextWithNumbers) {
  EXPECT_THAT(refusal("state < 3"), HasSubstr("cannot be compared"));
  EXPECT_THAT(refusal("fid ~ 'x'"), HasSubstr("looks for text"));
}

TEST(FilterColumns, AreEachNamedOnce) {
  EXPECT_THAT(Expression::parse("a = 1 and (b.c < a or not d in (1, e))").columns(), ElementsAre("a", "b.c", "d", "e"));
}

}  // namespace
}  // namespace ditscale::analysis
