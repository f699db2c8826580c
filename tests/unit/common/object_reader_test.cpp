#include "common/object_reader.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace ditscale::common {
namespace {

using testing::HasSubstr;

/// A document of one object, and what reading it says.
class ObjectReaderTest : public testing::Test {
 protected:
  void given(const std::string& text) { document_ = parse_json(text, "a.json"); }
  ObjectReader reader() { return {document_, document_.value, ""}; }
  std::string refusal(const std::function<void(ObjectReader&)>& read) {
    try {
      ObjectReader r = reader();
      read(r);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "was accepted";
  }
  template <typename T>
  std::string refused_as(Range range = {}) {
    T value{};
    return refusal([&](ObjectReader& r) { r.get("x", value, range); });
  }

  JsonDocument document_;
};

TEST_F(ObjectReaderTest, LeavesTheDefaultWhereNothingOrNullStands) {
  given(R"({"b": null})");
  std::int64_t a = 7;
  std::optional<double> b;
  ObjectReader r = reader();
  r.get("a", a);
  r.get("b", b);
  r.finish();
  EXPECT_EQ(a, 7);
  EXPECT_FALSE(b);
  EXPECT_FALSE(r.has("b"));
}

TEST_F(ObjectReaderTest, TakesWholeNumbersHoweverTheyAreWritten) {
  for (const char* text : {R"({"x": 1500})", R"({"x": 1500.0})", R"({"x": 1.5e3})"}) {
    given(text);
    std::int64_t x = 0;
    reader().get("x", x);
    EXPECT_EQ(x, 1500) << text;
  }
}

TEST_F(ObjectReaderTest, RefusesWhatIsNoWholeNumberThatFits) {
  for (const char* text : {R"({"x": 1.5})", R"({"x": "1"})", R"({"x": true})", R"({"x": 18446744073709551615})",
                           R"({"x": 99999999999999999999999})", R"({"x": 1e300})", R"({"x": [1]})"}) {
    given(text);
    EXPECT_THAT(refused_as<std::int64_t>(), HasSubstr("a.json:1: x: a whole number is needed, found ")) << text;
  }
}

TEST_F(ObjectReaderTest, RefusesNumbersOutsideTheirRangeAndSaysTheRange) {
  given(R"({"x": -3})");
  EXPECT_EQ(refused_as<std::int64_t>({1, 1e6}), "a.json:1: x: -3 is not allowed here; allowed: from 1 to 1000000");
  given(R"({"x": 0})");
  EXPECT_EQ(refused_as<double>({0, 10, true}), "a.json:1: x: 0 is not allowed here; allowed: above 0 to 10");
  EXPECT_EQ(refused_as<double>({2}), "a.json:1: x: 0 is not allowed here; allowed: 2 or more");
  EXPECT_EQ(refused_as<double>({0, 1e308, true}), "a.json:1: x: 0 is not allowed here; allowed: above 0");
  EXPECT_EQ(refused_as<double>({-1e308, -0.5}), "a.json:1: x: 0 is not allowed here; allowed: -0.5 or less");
}

TEST_F(ObjectReaderTest, ReadsMinusZeroAsZero) {
  given(R"({"x": -0.0})");
  double x = 1;
  reader().get("x", x);
  EXPECT_FALSE(std::signbit(x));
}

TEST_F(ObjectReaderTest, RefusesWrongTypesByName) {
  given(R"({"x": 1})");
  bool flag = false;
  std::string text;
  EXPECT_THAT(refusal([&](ObjectReader& r) { r.get("x", flag); }), HasSubstr("x: true or false is needed, found 1"));
  EXPECT_THAT(refusal([&](ObjectReader& r) { r.get("x", text); }), HasSubstr("x: a string is needed, found 1"));
  given(R"({"x": "1"})");
  EXPECT_THAT(refused_as<double>(), HasSubstr("x: a number is needed, found \"1\""));
  given("[1]");
  EXPECT_THAT(refusal([](ObjectReader&) {}), HasSubstr("a.json:1: an object {…} is needed here, found [1]"));
}

TEST_F(ObjectReaderTest, ChoicesListWhatIsAllowed) {
  given(R"({"x": "bleu"})");
  std::string colour = "red";
  EXPECT_EQ(refusal([&](ObjectReader& r) {
              r.get_choice("x", colour, {"red", "blue"});
            }),
            "a.json:1: x: \"bleu\" is not known here; allowed: red, blue");
  EXPECT_EQ(colour, "red");
}

TEST_F(ObjectReaderTest, UnknownKeysNameTheNearestKnownOne) {
  given("{\"width\": 1,\n \"dpeth\": 2}");
  std::int64_t n = 0;
  const auto read = [&](ObjectReader& r) {
    r.get("width", n);
    r.get("depth", n);
    r.finish();
  };
  EXPECT_EQ(refusal(read), "a.json:2: dpeth: unknown key; did you mean \"depth\"? allowed: depth, width");
}

TEST_F(ObjectReaderTest, FarKeysAreNotGuessed) {
  EXPECT_EQ(nearest_word("colour", {"depth", "width"}), "");
  EXPECT_EQ(nearest_word("dept", {"depth", "width"}), "depth");
  EXPECT_EQ(nearest_word("x", {}), "");
}

}  // namespace
}  // namespace ditscale::common
