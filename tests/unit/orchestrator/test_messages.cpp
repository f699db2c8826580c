#include <gtest/gtest.h>

#include "common/error.hpp"
#include "orchestrator/messages/messages.hpp"

namespace ditscale::orchestrator {
namespace {

const common::TrialId kTrial("0123456789abcdef");
constexpr common::AttemptNumber kAttempt{3};

template <typename Kind>
Kind round_trip(const Kind& message) {
  return std::get<Kind>(decode(encode(message)));
}

TEST(Messages, SurviveTheWire) {
  const auto hello = round_trip(HelloMessage{"node7", {{0, 2}, {"GPU-abc"}}, "n7", "NVIDIA H100"});
  EXPECT_EQ(hello.host, "node7");
  EXPECT_EQ(hello.node, "n7");
  EXPECT_EQ(hello.gpu_name, "NVIDIA H100");
  EXPECT_EQ(hello.devices, (Devices{{0, 2}, {"GPU-abc"}}));

  const auto lines = round_trip(LinesMessage{kTrial, kAttempt, "{\"v\":1}\n\n"});
  EXPECT_EQ(lines.trial, kTrial);
  EXPECT_EQ(lines.attempt, kAttempt);
  EXPECT_EQ(lines.lines, "{\"v\":1}\n\n");

  const Shares kShares{{1, "a", 2, {{0, 1}, {"0", "1"}}}, {2, "b", 1, {{1}, {"3"}}}};
  const auto start = round_trip(StartMessage{kTrial, kAttempt, "/runs/x", kShares});
  EXPECT_EQ(start.folder, "/runs/x");
  EXPECT_EQ(start.shares, kShares);

  EXPECT_TRUE(round_trip(StopMessage{kTrial, kAttempt, true}).kill);
  round_trip(ShutdownMessage{});
}

TEST(Messages, KeepAbsentValuesAbsent) {
  const auto killed =
      round_trip(EndedMessage{kTrial, kAttempt, std::nullopt, 9, "signal 9", 12.5, "last line", "{}\n"});
  EXPECT_FALSE(killed.code);
  EXPECT_EQ(killed.signal, 9);
  EXPECT_EQ(killed.silent_s, 12.5);
  EXPECT_EQ(killed.lines, "{}\n");
  const auto ended = round_trip(EndedMessage{kTrial, kAttempt, 0, std::nullopt, "exit code 0", std::nullopt, "", ""});
  EXPECT_EQ(ended.code, 0);
  EXPECT_FALSE(ended.signal);
  EXPECT_FALSE(ended.silent_s);
}

TEST(Messages, CarryALogThatIsNotUtf8) {
  const auto ended =
      round_trip(EndedMessage{kTrial, kAttempt, 1, std::nullopt, "exit code 1", std::nullopt, "a\xff", ""});
  EXPECT_EQ(ended.log_tail, "a\xef\xbf\xbd") << "U+FFFD in its place";
}

TEST(Messages, RefuseBytesThatAreNone) {
  EXPECT_THROW((void)decode({0xc1, 0x00}), common::CorruptData);
  EXPECT_THROW((void)decode({}), common::CorruptData);
  EXPECT_THROW((void)decode({0x80}), common::CorruptData);
}

}  // namespace
}  // namespace ditscale::orchestrator
