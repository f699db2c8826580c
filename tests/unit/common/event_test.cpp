#include "common/event.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/error.hpp"

namespace ditscale::common {
namespace {

using testing::HasSubstr;

Event an_event() { return {3, 1234.5, "metric", {{"loss", 0.25}, {"text", "two\nlines, \"€\""}}}; }

std::string refusal(const std::string& line) {
  try {
    (void)Event::from_line(line);
  } catch (const CorruptData& error) {
    return error.what();
  }
  return "was accepted";
}

TEST(Event, ALineReadsBackTheSame) {
  const Event event = an_event();
  const std::string line = event.to_line();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const Event back = Event::from_line(line);
  EXPECT_EQ(back.number, event.number);
  EXPECT_EQ(back.time_s, event.time_s);
  EXPECT_EQ(back.kind, event.kind);
  EXPECT_EQ(back.body, event.body);
}

TEST(Event, TheStoredFormNeverChanges) {
  EXPECT_EQ((Event{1, 2.5, "outcome", {{"state", "succeeded"}}}).to_line(),
            R"({"body":{"state":"succeeded"},"kind":"outcome","n":1,"t":2.5,"v":1})");
}

TEST(Event, NumbersThatAreNoneBecomeNull) {
  Event event = an_event();
  event.body["loss"] = std::nan("");
  EXPECT_TRUE(Event::from_line(event.to_line()).body.at("loss").is_null());
}

TEST(Event, TextThatIsNotUtf8IsWrittenReadably) {
  Event event = an_event();
  event.body["text"] = "bad \xff byte";
  EXPECT_EQ(Event::from_line(event.to_line()).body.at("text"), "bad \xEF\xBF\xBD byte");
}

TEST(Event, RefusesLinesThatAreNoEvents) {
  EXPECT_THAT(refusal(""), HasSubstr("is not a JSON object"));
  EXPECT_THAT(refusal("[]"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(refusal("\xff\xfe"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(refusal(R"({"v":1,"n":1,"t":0,"kind":"x"})"), HasSubstr("lacks a field"));
  EXPECT_THAT(refusal(R"({"v":1,"n":"1","t":0,"kind":"x","body":{}})"), HasSubstr("wrong type"));
  EXPECT_THAT(refusal(R"({"v":1,"n":1.5,"t":0,"kind":"x","body":{}})"), HasSubstr("wrong type"));
  EXPECT_THAT(refusal(R"({"v":1,"n":1,"t":null,"kind":"x","body":{}})"), HasSubstr("wrong type"));
  EXPECT_THAT(refusal(R"({"v":1,"n":1,"t":0,"kind":"x","body":[]})"), HasSubstr("wrong type"));
  EXPECT_THAT(refusal(R"({"v":1,"n":0,"t":0,"kind":"x","body":{}})"), HasSubstr("below 1"));
  EXPECT_THAT(refusal(R"({"v":1,"n":18446744073709551615,"t":0,"kind":"x","body":{}})"), HasSubstr("wrong type"));
}

TEST(Event, RefusesVersionsItDoesNotKnow) {
  EXPECT_THAT(refusal(R"({"v":2,"n":1,"t":0,"kind":"x","body":{}})"), HasSubstr("unknown version"));
  EXPECT_THAT(refusal(R"({"v":4294967297,"n":1,"t":0,"kind":"x","body":{}})"), HasSubstr("unknown version"));
}

TEST(Event, RefusesHostileDepthWithoutFalling) {
  std::string deep = R"({"v":1,"n":1,"t":0,"kind":"x","body":)";
  for (int i = 0; i < 1'000'000; ++i) deep += R"({"a":)";
  EXPECT_THAT(refusal(deep), HasSubstr("is not a JSON object"));
  EXPECT_THAT(refusal(deep + "1" + std::string(1'000'001, '}')), HasSubstr("nested too deep"));
  EXPECT_THAT(refusal(std::string(1'000'000, '[') + std::string(1'000'000, ']')), HasSubstr("nested too deep"));
}

RC_GTEST_PROP(Event, ALineCutShortIsRefused, ()) {
  const std::string line = an_event().to_line();
  const auto length = *rc::gen::inRange<std::size_t>(0, line.size());
  RC_ASSERT_THROWS_AS(Event::from_line(line.substr(0, length)), CorruptData);
}

RC_GTEST_PROP(Event, DamagedLinesAreReadOrRefusedNeverWorse, (std::uint8_t byte)) {
  std::string line = an_event().to_line();
  line[*rc::gen::inRange<std::size_t>(0, line.size())] = static_cast<char>(byte);
  try {
    (void)Event::from_line(line);
  } catch (const CorruptData& error) {
    RC_ASSERT(valid_utf8(error.what()) == error.what());
  }
}

}  // namespace
}  // namespace ditscale::common
