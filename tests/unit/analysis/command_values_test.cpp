#include <cmath>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/commands/checks.hpp"
#include "common/json_document.hpp"
#include "tests/support/analysis_cli.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::analysis {
namespace {

using common::Json;
using test::Answer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Checks, AllowNumbersAboveZero) {
  for (const char* good : {"1", "+0.5", "1e9", "1e-300"}) {
    EXPECT_EQ(above_zero()(good), "") << good;
    EXPECT_EQ(above_zero_or_infinite()(good), "") << good;
  }
  for (const char* bad : {"0", "-1", "nan", "-inf", "abc", "", "1x", "1e999"}) {
    EXPECT_THAT(above_zero()(bad), HasSubstr("a number above 0")) << bad;
    EXPECT_THAT(above_zero_or_infinite()(bad), HasSubstr("a number above 0, or inf")) << bad;
  }
  EXPECT_NE(above_zero()("inf"), "");
  EXPECT_EQ(above_zero_or_infinite()("inf"), "");
  EXPECT_EQ(whole_from(1)("12"), "");
  for (const char* bad : {"0", "-1", "1.5", "abc", ""}) {
    EXPECT_THAT(whole_from(1)(bad), HasSubstr("a whole number from 1")) << bad;
  }
}

class Commands : public ::testing::Test {
 protected:
  static Answer analysis(const std::vector<std::string>& arguments) { return test::run_analysis(arguments); }
  /// y = 5 + 60 x^-0.4 at the first `num` powers of two.
  [[nodiscard]] std::string points(int num) const {
    const std::filesystem::path csv = folder_ / "points.csv";
    std::ofstream out(csv);
    out << "x,y\n";
    for (int i = 0; i < num; ++i) out << fmt::format("{},{}\n", std::pow(2, i), 5 + 60 * std::pow(2, -0.4 * i));
    return csv.string();
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "results.db";
};

TEST_F(Commands, RefuseNumbersThatMeanNothingInOneLine) {
  const std::vector<std::vector<std::string>> wrong{{"fit", "--huber", "nan"},
                                                    {"fit", "--huber", "0"},
                                                    {"fit", "--at", "nan"},
                                                    {"fit", "--at", "0"},
                                                    {"fit", "--at-d", "inf"},
                                                    {"metrics", "--rows", "0"},
                                                    {"frontier", "--budgets", "abc"},
                                                    {"suggest", "--at", "0"},
                                                    {"frontier", "--budgets", "1e9,nan"},
                                                    {"query", "--limit", "-1"}};
  for (const auto& command : wrong) {
    const Answer answer = analysis(command);
    EXPECT_EQ(answer.code, 2) << command[1];
    EXPECT_THAT(answer.err, AllOf(HasSubstr(command[1]), HasSubstr(": not allowed, must be a"))) << command[1];
    EXPECT_LT(answer.err.size(), 150U) << answer.err;
  }
}

TEST_F(Commands, FitByLeastSquaresMayBeNamed) {
  const std::vector<std::string> fit{"fit", "--csv", points(8), "--x", "x", "--y", "y", "--resamples", "0", "--json"};
  std::vector<std::string> named = fit;
  named.insert(named.end(), {"--huber", "inf"});
  const Answer answer = analysis(named);
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, analysis(fit).out);
}

TEST_F(Commands, FitOfFewPointsNamesNoErrorThatItHasNot) {
  const Answer answer = analysis({"fit", "--csv", points(4), "--x", "x", "--y", "y"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("typical error"), Not(HasSubstr("leaving one out - %"))));
}

TEST_F(Commands, FitThatRefusesEndsEachWordWithItsLine) {
  const std::string short_csv = points(1);
  EXPECT_THAT(analysis({"fit", "--csv", short_csv, "--x", "x", "--y", "y"}).err, Not(HasSubstr("\n\n")));
  {
    results::ResultsWriter writer(file_);
    writer.put_sweep("made_up", "", {{"name", "made_up"}});
    for (const std::int64_t width : {64, 128}) {
      const sweeps::TrialSpec spec = test::small_spec(width);
      const std::vector<results::TrialRecord> records{test::record_of(spec, width)};
      writer.put_trials(records);
      test::MadeUpAttempt attempt(spec, 1);
      writer.start_attempt(attempt.record());
      attempt.started(0).metric(100, 0.3).evaluation(100, 200);
      writer.ingest(attempt.events());
    }
  }
  const Answer refused = analysis({"fit", "--db", file_.string(), "--points", "all", "--x", "training_flops"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("\nleft out: "), Not(HasSubstr("\n\n"))));
}

TEST_F(Commands, TrialsSayOfAScoreWhatIsKnown) {
  {
    results::ResultsWriter writer(file_);
    writer.put_sweep("made_up", "", {{"name", "made_up"}});
    const sweeps::TrialSpec spec = test::small_spec();
    const std::vector<results::TrialRecord> records{test::record_of(spec)};
    writer.put_trials(records);
    test::MadeUpAttempt attempt(spec, 1);
    writer.start_attempt(attempt.record());
    attempt.started(0).add("evaluation", 300,
                           {{"settings", {{"features", "inception"}}}, {"values", {{"fid", 20}}}, {"seconds", 1.0}});
    writer.ingest(attempt.events());
  }
  const Answer answer = analysis({"trials", "--db", file_.string()});
  EXPECT_THAT(answer.out, HasSubstr("fid: FID (inception features).\n")) << answer.err;
}

TEST_F(Commands, FrontierGivesIntervalsAsNumbersToPrograms) {
  const std::filesystem::path csv = folder_ / "runs.csv";
  {
    std::ofstream out(csv);
    out << "n,d,loss\n";
    for (const double c : {1e18, 1e19, 1e20}) {
      for (int k = -3; k <= 3; ++k) {
        const double n = 0.1 * std::sqrt(c) * std::pow(2, k);
        const double d = c / 6 / n;
        out << fmt::format("{},{},{}\n", n, d, 1.69 + 406.4 * std::pow(n, -0.34) + 410.7 * std::pow(d, -0.28));
      }
    }
  }
  std::vector<std::string> command{"frontier", "--csv", csv.string(), "--n",       "n",   "--d",
                                   "d",        "--y",   "loss",       "--budgets", "1e20"};
  EXPECT_THAT(analysis(command).out, HasSubstr("N* 95 %"));
  command.emplace_back("--json");
  const Json row = Json::parse(analysis(command).out).at(0);
  for (const std::string name : {"N*", "D*"}) {
    ASSERT_TRUE(row.at(name + " low 95 %").is_number()) << row.dump();
    EXPECT_LE(row[name + " low 95 %"], row[name + " by law"]);
    EXPECT_GE(row[name + " high 95 %"], row[name + " by law"]);
    EXPECT_FALSE(row.contains(name + " 95 %"));
  }
}

}  // namespace
}  // namespace ditscale::analysis
