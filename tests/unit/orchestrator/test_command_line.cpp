#include <gtest/gtest.h>

#include "common/error.hpp"
#include "orchestrator/cli/command_line.hpp"

namespace ditscale::orchestrator {
namespace {

ParsedCommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "orchestrator");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, ReadsARun) {
  const auto parsed = parse({"run", "--set", "a=1", "--set", "b=2", "x.json", "--retries", "0", "--cpus", "2", "--time",
                             "00:30:00", "--runs", "elsewhere"});
  ASSERT_TRUE(parsed.options);
  const auto& run = std::get<RunOptions>(*parsed.options);
  EXPECT_EQ(run.sweep.file, "x.json");
  EXPECT_EQ(run.sweep.assignments, (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_EQ(run.sweep.runs, "elsewhere");
  EXPECT_EQ(run.policy.retries, 0);
  EXPECT_EQ(run.limits.cpus, 2);
  EXPECT_EQ(run.limit_s, 1800);
  EXPECT_FALSE(run.launcher);
}

TEST(CommandLine, ReadsPlanAndStatus) {
  EXPECT_TRUE(std::get<PlanOptions>(*parse({"plan", "x.json", "--json"}).options).json);
  EXPECT_EQ(std::get<StatusOptions>(*parse({"status"}).options).choice.study, "last");
  EXPECT_EQ(std::get<StatusOptions>(*parse({"status", "demo"}).options).choice.study, "demo");
}

TEST(CommandLine, AnswersWrongUseWithExitCodeTwo) {
  testing::internal::CaptureStderr();
  for (const auto& wrong : std::vector<std::vector<const char*>>{{},
                                                                 {"fly"},
                                                                 {"run"},
                                                                 {"run", "x.json", "--cpus", "0"},
                                                                 {"run", "x.json", "--retries", "-1"},
                                                                 {"plan", "x", "y"}}) {
    const auto parsed = parse(wrong);
    EXPECT_FALSE(parsed.options);
    EXPECT_EQ(parsed.exit_code, 2);
  }
  testing::internal::GetCapturedStderr();
}

TEST(CommandLine, ShowsAnExampleWithEveryHelp) {
  for (const auto& help :
       std::vector<std::vector<const char*>>{{"--help"}, {"run", "--help"}, {"plan", "--help"}, {"status", "--help"}}) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(parse(help).exit_code, 0);
    EXPECT_NE(testing::internal::GetCapturedStdout().find("Example:"), std::string::npos);
  }
}

TEST(CommandLine, ReadsDurations) {
  EXPECT_EQ(parse_duration_s("90"), 90);
  EXPECT_EQ(parse_duration_s("1.5"), 1.5);
  EXPECT_EQ(parse_duration_s("02:30"), 150);
  EXPECT_EQ(parse_duration_s("01:30:00"), 5400);
  for (const char* wrong : {"", "x", "0", "-3", "1:2:3:4", "1:", "inf", "nan"}) {
    EXPECT_THROW((void)parse_duration_s(wrong), common::UsageError) << wrong;
  }
}

}  // namespace
}  // namespace ditscale::orchestrator
