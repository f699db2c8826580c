#include "common/text.hpp"

#include <gmock/gmock.h>

namespace ditscale::common {
namespace {

using testing::ElementsAre;

TEST(Split, GivesOnePartMoreThanThereAreSeparators) {
  EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(CountIn, TakesWholeNumbersFromZeroAndNothingElse) {
  EXPECT_EQ(count_in("0"), 0);
  EXPECT_EQ(count_in("2147483647"), 2147483647);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.5", "x", "2147483648"})
    EXPECT_EQ(count_in(text), std::nullopt) << text;
}

}  // namespace
}  // namespace ditscale::common
