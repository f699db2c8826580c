#include "common/json_document.hpp"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/error.hpp"

namespace ditscale::common {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& text) {
  try {
    (void)parse_json(text, "a.json");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "was accepted";
}

TEST(JsonDocument, KnowsTheLineOfEveryValue) {
  const JsonDocument document = parse_json("{\n \"a\": {\n  \"b\": [1,\n   2,\n\n   {\"c\":\n 3}]\n }\n}", "a.json");
  EXPECT_EQ(document.lines.at(""), 1);
  EXPECT_EQ(document.lines.at("a"), 2);
  EXPECT_EQ(document.lines.at("a.b"), 3);
  EXPECT_EQ(document.lines.at("a.b[0]"), 3);
  EXPECT_EQ(document.lines.at("a.b[1]"), 4);
  EXPECT_EQ(document.lines.at("a.b[2]"), 6);
  EXPECT_EQ(document.lines.at("a.b[2].c"), 6);
}

TEST(JsonDocument, CountsLinesThroughCommentsAndWindowsLineEnds) {
  const JsonDocument document =
      parse_json("// first\r\n/* second\r\n third */ {\r\n\"a\": 1, // here\r\n/* x\n\n*/ \"b\": 2}", "a.json");
  EXPECT_EQ(document.lines.at(""), 3);
  EXPECT_EQ(document.lines.at("a"), 4);
  EXPECT_EQ(document.lines.at("b"), 7);
}

TEST(JsonDocument, NumbersEndTheirLineBeforeTheNextOneStarts) {
  const JsonDocument document = parse_json("[1\n,\n2\n]", "a.json");
  EXPECT_EQ(document.lines.at("[0]"), 1);
  EXPECT_EQ(document.lines.at("[1]"), 3);
}

TEST(JsonDocument, RefusesWhatStrictJsonDoesNotHave) {
  EXPECT_THAT(refusal(""), HasSubstr("a.json:1: syntax error"));
  EXPECT_THAT(refusal("{\n\"a\": 1,\n}"), HasSubstr("a.json:3: syntax error"));
  EXPECT_THAT(refusal("{\n\"a\": 1,\n\"a\": 2}"), HasSubstr("a.json:3: key \"a\" stands twice"));
  EXPECT_THAT(refusal("{} {}"), HasSubstr("a.json:1: syntax error"));
  EXPECT_THAT(refusal("{\"a\": NaN}"), HasSubstr("invalid literal"));
  EXPECT_THAT(refusal("{\"a\":\n 1e999}"), HasSubstr("a.json:2: number overflow"));
  EXPECT_THAT(refusal("{\"a\": -1e999}"), HasSubstr("number overflow"));
  EXPECT_THAT(refusal("{\"a\": /* never ends"), HasSubstr("comment"));
  EXPECT_THAT(refusal("{'a': 1}"), HasSubstr("syntax error"));
  EXPECT_THAT(refusal("{\"a\": 0x10}"), HasSubstr("syntax error"));
}

TEST(JsonDocument, RefusesDeepNestingAtSixtyFourLevels) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_NO_THROW((void)parse_json(nested(64), "a.json"));
  EXPECT_THAT(refusal(nested(65)), HasSubstr("nested deeper than 64"));
  EXPECT_THAT(refusal(std::string(5'000'000, '[')), HasSubstr("nested deeper than 64"));
}

TEST(JsonDocument, MessagesAboutBrokenUtf8AreUtf8) {
  const std::string message = refusal("{\"a\": \"\xff\xfe\"}");
  EXPECT_THAT(message, HasSubstr("ill-formed UTF-8"));
  EXPECT_EQ(valid_utf8(message), message);
}

TEST(JsonDocument, AcceptsUtf8AndAByteOrderMark) {
  const JsonDocument document = parse_json("\xEF\xBB\xBF{\"größe\": \"\xE2\x82\xAC\"}", "a.json");
  EXPECT_EQ(document.value.at("größe"), "€");
  EXPECT_EQ(document.where("größe"), "a.json:1: größe");
}

TEST(JsonDocument, WhereFallsBackToTheNearestThingThatWasWritten) {
  JsonDocument document = parse_json("{\n\"model\": {\n\"depth\": 4}}", "a.json");
  EXPECT_EQ(document.where(""), "a.json:1");
  EXPECT_EQ(document.where("model.depth"), "a.json:3: model.depth");
  EXPECT_EQ(document.where("model.width"), "a.json:2: model.width");
  EXPECT_EQ(document.where("train.steps[3].x"), "a.json:1: train.steps[3].x");
  document.origins["model.heads"] = "--set model.heads=3";
  EXPECT_EQ(document.where("model.heads"), "--set model.heads=3: model.heads");
}

TEST(JsonDocument, WhereFollowsAliases) {
  JsonDocument document = parse_json("{\n\"base\": {\"depth\": 4},\n\"grid\": {\n\"m.w\": [1,\n 2]}}", "a.json");
  document.aliases = {{"", "base"}, {"m.w", "grid.m.w[1]"}};
  EXPECT_EQ(document.where("depth"), "a.json:2: base.depth");
  EXPECT_EQ(document.where("m.w"), "a.json:5: grid.m.w[1]");
  EXPECT_EQ(document.where("m"), "a.json:5: grid.m.w[1]");
  EXPECT_EQ(document.where(""), "a.json:2: base");
}

TEST(JsonDocument, CanonicalTextDoesNotDependOnOrderOrSpaces) {
  EXPECT_EQ(canonical_text(parse_json("{ \"b\": 1.50, \"a\": [ true ] }", "x").value),
            canonical_text(parse_json("{\"a\":[true],\"b\":1.5}", "y").value));
}

TEST(JsonDocument, ShownCutsBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "€";
  for (int shift = 0; shift < 3; ++shift) {
    const std::string cut = shown(std::string(static_cast<std::size_t>(shift), 'x') + text);
    EXPECT_LE(cut.size(), 60U);
    EXPECT_EQ(valid_utf8(cut), cut);
    EXPECT_THAT(cut, testing::EndsWith("..."));
  }
}

TEST(JsonDocument, StandsBelowRespectsWholeNames) {
  EXPECT_TRUE(stands_below("a.b", "a"));
  EXPECT_TRUE(stands_below("a[0]", "a"));
  EXPECT_TRUE(stands_below("a", "a"));
  EXPECT_TRUE(stands_below("a", ""));
  EXPECT_FALSE(stands_below("ab", "a"));
  EXPECT_FALSE(stands_below("a", "a.b"));
}

RC_GTEST_PROP(JsonDocument, RandomBytesAreParsedOrRefusedNeverWorse, (const std::string& bytes)) {
  try {
    (void)parse_json(bytes, "random");
  } catch (const ConfigError& error) {
    RC_ASSERT(valid_utf8(error.what()) == error.what());
  }
}

RC_GTEST_PROP(JsonDocument, DamagedDocumentsAreParsedOrRefusedNeverWorse, (std::uint64_t seed)) {
  std::mt19937_64 random(seed);
  std::string text = R"({"name": "x", /* c */ "base": {"train": {"lr": 1e-3, "steps": [1, null, "€"]}}, "seeds": -2})";
  for (int i = 0; i < 4; ++i) text[random() % text.size()] = static_cast<char>(random() % 256);
  try {
    (void)parse_json(text, "damaged");
  } catch (const ConfigError& error) {
    RC_ASSERT(valid_utf8(error.what()) == error.what());
  }
}

Json random_value(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return random() % 2 == 0;
    case 2:
      return static_cast<std::int64_t>(random());
    case 3:
      return std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 100);
    case 4:
      return std::string(random() % 5, static_cast<char>(' ' + random() % 90));
    case 5: {
      Json list = Json::array();
      for (auto left = random() % 4; left > 0; --left) list.push_back(random_value(random, depth - 1));
      return list;
    }
    default: {
      Json object = Json::object();
      for (auto left = random() % 4; left > 0; --left)
        object["k" + std::to_string(random() % 10)] = random_value(random, depth - 1);
      return object;
    }
  }
}

RC_GTEST_PROP(JsonDocument, WrittenValuesReadBackTheSame, (std::uint64_t seed, bool pretty)) {
  std::mt19937_64 random(seed);
  const Json value = random_value(random, 5);
  RC_ASSERT(parse_json(value.dump(pretty ? 2 : -1), "x").value == value);
}

}  // namespace
}  // namespace ditscale::common
