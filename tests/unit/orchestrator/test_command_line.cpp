#include <gmock/gmock.h>

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

TEST(CommandLine, ReadsWhatAPlanIsFor) {
  const auto parsed =
      parse({"plan", "x.json", "--nodes", "16", "--cpus-per-node", "64", "--gpus-per-node", "8", "--price-per-hour",
             "2.5", "--failures", "100", "--gpu-memory", "80GB", "--memory-per-node", "512GiB"});
  ASSERT_TRUE(parsed.options);
  const auto& plan = std::get<PlanOptions>(*parsed.options);
  EXPECT_EQ(plan.cluster.num_nodes, 16);
  EXPECT_EQ(plan.cluster.cpus_per_node, 64);
  EXPECT_EQ(plan.cluster.gpus_per_node, 8);
  EXPECT_EQ(plan.price_per_hour, 2.5);
  EXPECT_EQ(plan.num_failure_runs, 100);
  EXPECT_EQ(plan.gpu_memory_bytes, 80'000'000'000);
  EXPECT_EQ(plan.node_memory_bytes, std::uint64_t{512} << 30);
}

TEST(CommandLine, TakesNoTimeThatNoClockShows) {
  for (const char* time : {"0", "1e300", "inf", "nan"})
    EXPECT_THROW((void)parse({"submit", "x.json", "--time", time}), common::UsageError) << time;
}

TEST(CommandLine, TakesNoSweepForAPicture) {
  const auto here = std::get<PlanOptions>(*parse({"plan", "x.json", "--gantt"}).options);
  EXPECT_TRUE(here.gantt);
  EXPECT_FALSE(here.gantt_file);
  const auto picture = std::get<PlanOptions>(*parse({"plan", "x.json", "--gantt", "x.svg"}).options);
  EXPECT_FALSE(picture.gantt);
  EXPECT_EQ(picture.gantt_file, "x.svg");
  EXPECT_TRUE(std::get<PlanOptions>(*parse({"plan", "--gantt", "--json", "x.json"}).options).gantt);
  EXPECT_THROW((void)parse({"plan", "x.json", "--gantt", "y.json"}), common::UsageError);
}

TEST(CommandLine, ReadsASubmissionAndLeavesTheRestToSbatch) {
  const auto parsed = parse({"submit", "x.json", "--nodes", "16", "--gpus-per-node", "8", "--time", "24:00:00",
                             "--shards", "2", "--", "--partition=gpu", "--", "--nodes=3"});
  ASSERT_TRUE(parsed.options);
  const auto& submit = std::get<SubmitOptions>(*parsed.options);
  EXPECT_EQ(submit.num_nodes, 16);
  EXPECT_EQ(submit.gpus_per_node, 8);
  EXPECT_EQ(submit.limit_s, 86400);
  EXPECT_EQ(submit.num_shards, 2);
  EXPECT_EQ(submit.sbatch_arguments, (std::vector<std::string>{"--partition=gpu", "--", "--nodes=3"}));
}

TEST(CommandLine, ReadsTheOthers) {
  EXPECT_EQ(std::get<CancelOptions>(*parse({"cancel", "demo", "--trial", "3f"}).options).trials,
            std::vector<std::string>{"3f"});
  EXPECT_EQ(std::get<LogsOptions>(*parse({"logs", "demo", "--trial", "3f"}).options).trial, "3f");
  EXPECT_EQ(std::get<RetryOptions>(*parse({"retry"}).options).choice.study, "last");
  EXPECT_EQ(std::get<ResumeOptions>(*parse({"resume", "demo"}).options).choice.study, "demo");
  EXPECT_TRUE(std::get<ExplainOptions>(*parse({"explain", "--json"}).options).json);
  EXPECT_EQ(std::get<DoctorOptions>(*parse({"doctor", "--runs", "r"}).options).runs, "r");
}

TEST(CommandLine, AnswersWrongUseWithExitCodeTwo) {
  testing::internal::CaptureStderr();
  for (const auto& wrong : std::vector<std::vector<const char*>>{{},
                                                                 {"fly"},
                                                                 {"run"},
                                                                 {"run", "x.json", "--cpus", "0"},
                                                                 {"run", "x.json", "--retries", "-1"},
                                                                 {"plan", "x", "--gpu-memory", "0"},
                                                                 {"plan", "x", "--gpu-memory", "80 apples"},
                                                                 {"plan", "x", "--memory-per-node", "-1GB"},
                                                                 {"plan", "x", "--failures", "-1"},
                                                                 {"plan", "x", "y"}}) {
    const auto parsed = parse(wrong);
    EXPECT_FALSE(parsed.options);
    EXPECT_EQ(parsed.exit_code, 2);
  }
  testing::internal::GetCapturedStderr();
}

TEST(CommandLine, NamesWhatItDoesNotKnowAndWhatIsSpeltLikeIt) {
  const auto said = [](const std::vector<const char*>& arguments) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(parse(arguments).exit_code, 2);
    return testing::internal::GetCapturedStderr();
  };
  using testing::HasSubstr;
  using testing::Not;
  EXPECT_THAT(said({"runn", "x.json"}), HasSubstr("there is no such command: runn; did you mean run?"));
  EXPECT_THAT(said({"run", "x.json", "--retrys", "3"}),
              HasSubstr("not expected here: --retrys; did you mean --retries?"));
  EXPECT_THAT(said({"run", "x.json", "--retrys=3"}), HasSubstr("--retrys; did you mean --retries?"));
  EXPECT_THAT(said({"plan", "x.json", "y"}),
              testing::AllOf(HasSubstr("not expected here: y\n"), Not(HasSubstr("mean"))));
  EXPECT_THAT(said({"run"}), HasSubstr("sweep is required"));
  EXPECT_THAT(said({}), HasSubstr("subcommand is required"));
}

TEST(CommandLine, ShowsAnExampleWithEveryHelp) {
  for (const auto& help : std::vector<std::vector<const char*>>{{"--help"},
                                                                {"run", "--help"},
                                                                {"plan", "--help"},
                                                                {"status", "--help"},
                                                                {"submit", "--help"},
                                                                {"cancel", "--help"},
                                                                {"resume", "--help"},
                                                                {"retry", "--help"},
                                                                {"logs", "--help"},
                                                                {"explain", "--help"},
                                                                {"doctor", "--help"}}) {
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
  EXPECT_EQ(parse_duration_s("2-12"), 60 * 3600);
  EXPECT_EQ(parse_duration_s("2-00:30"), 48 * 3600 + 30 * 60);
  EXPECT_EQ(parse_duration_s("1-01:00:05"), 25 * 3600 + 5);
  for (const char* wrong :
       {"", "x", "0", "-3", "1:2:3:4", "1:", "inf", "nan", "1-", "-1", "1-2-3", "1-2:3:4:5", "0-0", "x-1"}) {
    EXPECT_THROW((void)parse_duration_s(wrong), common::UsageError) << wrong;
  }
}

}  // namespace
}  // namespace ditscale::orchestrator
