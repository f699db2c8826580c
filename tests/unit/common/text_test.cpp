#include "common/text.hpp"

#include <gmock/gmock.h>

#include "common/trial_paths.hpp"

namespace ditscale::common {
namespace {

using testing::ElementsAre;

TEST(Split, GivesOnePartMoreThanThereAreSeparators) {
  EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(NumberFrom, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(number_from<std::int64_t>("-12"), -12);
  EXPECT_EQ(number_from<double>("1e3"), 1000);
  for (const char* text : {"", "+1", " 1", "1 ", "1x", "99999999999999999999"})
    EXPECT_EQ(number_from<std::int64_t>(text), std::nullopt) << text;
}

TEST(StepOf, ReadsTheNamesOfFilesOfSteps) {
  EXPECT_EQ(step_of("a/step-40.h5", ".h5"), 40);
  EXPECT_EQ(step_of("step-40.weights.h5", ".weights.h5"), 40);
  for (const char* name : {"step-40.weights.h5", "step-.h5", "step-4x.h5", "40.h5", ".step-40.h5.tmp-1", ".h5"})
    EXPECT_EQ(step_of(name, ".h5"), std::nullopt) << name;
}

TEST(CountIn, TakesWholeNumbersFromZeroAndNothingElse) {
  EXPECT_EQ(count_in("0"), 0);
  EXPECT_EQ(count_in("2147483647"), 2147483647);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.5", "x", "2147483648"})
    EXPECT_EQ(count_in(text), std::nullopt) << text;
}

}  // namespace
}  // namespace ditscale::common
