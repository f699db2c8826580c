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

  [[nodiscard]] Answer on_database(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--db", file_.string()});
    return analysis(arguments);
  }
  static double score_of(std::int64_t width) { return 100 / std::sqrt(static_cast<double>(width)) + (width == 128); }
  /// Widths 64, 128 and 256.
  void make_study() const {
    results::ResultsWriter writer(file_);
    writer.put_sweep("made_up", "", {{"name", "made_up"}});
    for (const std::int64_t width : {64, 128, 256}) {
      test::put_finished_trial(writer, test::small_spec(width), width, score_of(width));
    }
  }
  /// A trial with the FID 200 at `step` only.
  void scored_once(std::int64_t width, std::int64_t step, results::TrialState state, const std::string& label) const {
    results::ResultsWriter writer(file_);
    const sweeps::TrialSpec spec = test::small_spec(width);
    results::TrialRecord record = test::record_of(spec, width);
    record.label = label;
    writer.put_trials(std::vector{record});
    test::MadeUpAttempt attempt(spec, 1);
    writer.start_attempt(attempt.record());
    attempt.started(0).metric(step, 0.4).evaluation(step, 200.0);
    writer.ingest(attempt.events());
    writer.set_trial_state(spec.id(), state, "", 1);
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
      attempt.started(0).metric(100, 0.3);
      if (width == 64) attempt.evaluation(100, 200);
      writer.ingest(attempt.events());
    }
  }
  const Answer refused = analysis({"fit", "--db", file_.string(), "--points", "all", "--x", "training_flops"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("\nleft out: "), Not(HasSubstr("\n\n"))));
}

TEST_F(Commands, AllPointsHoldNoDivergedTrialAndOnlyWhatHasNoneIsLeftOut) {
  make_study();
  scored_once(192, 100, results::TrialState::kDiverged, "diverged one");
  scored_once(320, 100, results::TrialState::kPreempted, "preempted one");
  const std::vector<std::string> all{"fit", "--x", "training_flops", "--points", "all", "--resamples", "0", "--json"};
  const Json fit = Json::parse(on_database(all).out);
  EXPECT_EQ(fit["points"].size(), 3U * 3 + 1);
  ASSERT_EQ(fit["left_out"].size(), 1U);
  EXPECT_EQ(fit["left_out"][0]["label"], "diverged one");
  const Json final = Json::parse(on_database({"fit", "--x", "training_flops", "--resamples", "0", "--json"}).out);
  EXPECT_EQ(final["left_out"].size(), 2U);
}

TEST_F(Commands, WhatAdviceLeavesOutIsNamed) {
  make_study();
  scored_once(192, 100, results::TrialState::kDiverged, "diverged one");
  const std::vector<std::vector<std::string>> commands{
      {"predict", "--set", "model.width=96"}, {"suggest"}, {"frontier", "--y", "fid"}, {"isoflop", "--y", "fid"}};
  for (const auto& command : commands) {
    const Answer answer = on_database(command);
    EXPECT_THAT(answer.out + answer.err, HasSubstr("left out: diverged one: diverged after step 100")) << command[0];
  }
  EXPECT_THAT(on_database({"predict", "--set", "model.width=96"}).out,
              HasSubstr("warning: all sizes were trained with train.lr"));
  for (const auto& command : {commands[0], commands[1]}) {
    std::vector<std::string> to_json = command;
    to_json.emplace_back("--json");
    const Json json = Json::parse(on_database(to_json).out);
    EXPECT_EQ(json["left_out"].size(), 1U) << command[0];
    EXPECT_THAT(json["warnings"].dump(), HasSubstr("train.lr")) << command[0];
  }
}

TEST_F(Commands, ALawOfTrainingsOfDifferentLengthIsNotOneOfSizeUnlessAskedForAndThenItWarns) {
  make_study();
  {
    results::ResultsWriter writer(file_);
    sweeps::TrialSpec longer = test::small_spec(96);
    longer.train.steps = 600;
    test::put_finished_trial(writer, longer, 9, 50);
  }
  const std::vector<std::string> fit{"fit", "--resamples", "0", "--json"};
  const Json natural = Json::parse(on_database(fit).out);
  EXPECT_EQ(natural["x"], "training_flops");
  EXPECT_THAT(natural["warnings"].dump(), Not(HasSubstr("different numbers of images")));
  std::vector<std::string> over_size = fit;
  over_size.insert(over_size.end(), {"--x", "forward_macs"});
  EXPECT_THAT(on_database(over_size).out, HasSubstr("the trainings saw different numbers of images"));
  EXPECT_THAT(on_database({"curves", "--json"}).out, HasSubstr("the trainings saw different numbers of images"));
}

TEST_F(Commands, OfScoresWhereHigherIsBetterTheHighestIsTheBest) {
  {
    results::ResultsWriter writer(file_);
    writer.put_sweep("made_up", "", {{"name", "made_up"}});
    for (const std::int64_t width : {64, 128, 192}) {
      const sweeps::TrialSpec spec = test::small_spec(width);
      writer.put_trials(std::vector{test::record_of(spec, width)});
      test::MadeUpAttempt attempt(spec, 1);
      writer.start_attempt(attempt.record());
      attempt.started(0).add("evaluation", 300,
                             {{"settings", {{"features", "inception"}}}, {"values", {{"inception_score", width}}}});
      writer.ingest(attempt.outcome(300, "succeeded").events());
      writer.set_trial_state(spec.id(), results::TrialState::kSucceeded, "", 1030);
    }
  }
  const Json rows = Json::parse(on_database({"frontier", "--y", "inception_score", "--budgets", "1e30", "--json"}).out);
  EXPECT_EQ(rows.at(0)["best measured"], "model.patch=7 model.width=192");
  const Answer refused = on_database({"isoflop", "--y", "inception_score"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("higher is better"));
}

TEST_F(Commands, AQueryOfMetricsKnowsTheColumnsOfAllTrials) {
  make_study();
  {
    results::ResultsWriter writer(file_);
    sweeps::TrialSpec clipped = test::small_spec(192);
    clipped.train.clip_norm = 1.5;
    test::put_finished_trial(writer, clipped, 9, 50);
  }
  const auto query = [this](const std::string& where) {
    return on_database({"query", "--from", "metrics", "--where", where, "--columns", "step,train.clip_norm", "--json"});
  };
  EXPECT_EQ(Json::parse(query("train.clip_norm > 1").out).size(), 30U);
  EXPECT_EQ(query("step > 5000").out, "[]\n");
  EXPECT_EQ(query("train.colour = 1").code, 2);
}

TEST_F(Commands, CompareTakesTheLastStepThatBothHave) {
  make_study();
  const std::filesystem::path left = folder_ / "left.db";
  std::filesystem::copy_file(file_, left);
  std::filesystem::remove(file_);
  scored_once(64, 100, results::TrialState::kPreempted, "half");
  scored_once(128, 50, results::TrialState::kPreempted, "early");
  const Json rows = Json::parse(analysis({"compare", left.string(), file_.string(), "--json"}).out);
  ASSERT_EQ(rows.size(), 3U);
  for (const Json& row : rows) {
    const auto width = row["model"].get<std::string>();
    if (width == "d4-w64-h4/7") {
      EXPECT_EQ(row["step"], 100);
      EXPECT_NEAR(row["left"].get<double>(), score_of(64) * std::sqrt(3), 1e-9);
      EXPECT_NEAR(row["right / left"].get<double>(), 200 / row["left"].get<double>(), 1e-9);
    } else if (width == "d4-w128-h4/7") {
      EXPECT_TRUE(row["right / left"].is_null()) << "no step in common";
    } else {
      EXPECT_EQ(row["step"], 300);
      EXPECT_NEAR(row["left"].get<double>(), score_of(256), 1e-9);
    }
  }
}

TEST_F(Commands, CompareAfterTheBaseChangedPairsByAxes) {
  make_study();
  std::filesystem::create_directories(folder_ / "runs/before");
  std::filesystem::create_directories(folder_ / "runs/after");
  std::filesystem::rename(file_, folder_ / "runs/before/results.db");
  {
    results::ResultsWriter writer(folder_ / "runs/after/results.db");
    for (const std::int64_t width : {64, 128, 512}) {
      sweeps::TrialSpec spec = test::small_spec(width);
      spec.train.lr = 0.25;
      test::put_finished_trial(writer, spec, width, 2 * score_of(width));
    }
  }
  const std::string runs = (folder_ / "runs").string();
  const Json rows = Json::parse(analysis({"compare", "before", "after", "--runs", runs, "--json"}).out);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_NEAR(rows[0]["right / left"].get<double>(), 2, 1e-12);
  EXPECT_NEAR(rows[1]["right / left"].get<double>(), 2, 1e-12);
  EXPECT_TRUE(rows[2]["right"].is_null());
  EXPECT_TRUE(rows[3]["left"].is_null());
  const std::string before = (folder_ / "runs/before").string();
  EXPECT_THAT(
      analysis({"compare", before, "after", "--runs", runs}).out,
      HasSubstr("paired by the values of their axes, for the configurations differ in train.lr (0.0001, 0.25)"));
  EXPECT_THAT(analysis({"compare", "before", "nowhere", "--runs", runs}).err,
              HasSubstr("nowhere: no such file, and no study of that name"));
}

TEST_F(Commands, AWordThatNobodyKnowsIsNamedWithTheNearest) {
  EXPECT_THAT(analysis({"trails"}).err, HasSubstr("there is no such command: trails; did you mean trials?"));
  EXPECT_EQ(analysis({"trails"}).code, 2);
  EXPECT_THAT(analysis({"fit", "--resample", "3"}).err,
              HasSubstr("not expected here: --resample; did you mean --resamples?"));
}

TEST_F(Commands, FitTakesTheTrialsThatMatch) {
  make_study();
  scored_once(512, 300, results::TrialState::kSucceeded, "another");
  EXPECT_EQ(Json::parse(on_database({"fit", "--resamples", "0", "--json"}).out)["points"].size(), 4U);
  const Json some = Json::parse(
      on_database({"fit", "--resamples", "0", "--json", "--where", "model.width < 512", "--form", "power"}).out);
  EXPECT_EQ(some["points"].size(), 3U);
  EXPECT_THAT(on_database({"fit", "--where", "model.width > 512"}).err, HasSubstr("no trial is so"));
}

TEST_F(Commands, TrialsThatTheSweepFileHasLostAreNamed) {
  make_study();
  EXPECT_THAT(on_database({"trials"}).out, Not(HasSubstr("Not in the sweep file")));
  {
    results::ResultsWriter writer(file_);
    Json cells = Json::array();
    for (const std::int64_t width : {64, 128}) cells.push_back({{"id", test::small_spec(width).id().str()}});
    writer.put_sweep("made_up", "", {{"name", "made_up"}, {"cells", cells}});
  }
  const std::string lost = test::small_spec(256).id().brief();
  EXPECT_THAT(on_database({"trials"}).out, HasSubstr("Not in the sweep file any more: " + lost + "."));
  EXPECT_THAT(on_database({"fit", "--resamples", "0"}).out,
              HasSubstr("1 of the trials are not in the sweep file any more (model.patch=7 model.width=256)"));
  EXPECT_EQ(Json::parse(on_database({"query", "--where", "in_sweep = true", "--json"}).out).size(), 2U);
}

TEST_F(Commands, TrainingsThatDifferInTheirLengthAloneShareTheirPoints) {
  make_study();
  {
    results::ResultsWriter writer(file_);
    sweeps::TrialSpec longer = test::small_spec(64);
    longer.train.steps = 600;
    writer.put_trials(std::vector{test::record_of(longer, 4)});
    test::MadeUpAttempt attempt(longer, 1);
    writer.start_attempt(attempt.record());
    attempt.started(0).metric(300, 0.4).evaluation(300, score_of(64)).evaluation(600, score_of(64) / 2);
    writer.ingest(attempt.events());
    writer.set_trial_state(longer.id(), results::TrialState::kSucceeded, "", 1);
  }
  const Answer answer = on_database({"fit", "--points", "all", "--resamples", "0"});
  EXPECT_THAT(answer.out, AllOf(HasSubstr("10 points"), HasSubstr("1 points were left out"),
                                Not(HasSubstr("repeats of the same x"))));
}

TEST_F(Commands, JsonLosesNoColumnOfTheSameName) {
  make_study();
  const std::string sql = "SELECT 1 AS n, 2 AS n";
  EXPECT_EQ(on_database({"query", "--sql", sql, "--format", "csv"}).out, "n,n\r\n1,2\r\n");
  const Answer refused = on_database({"query", "--sql", sql, "--json"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("two columns are called \"n\""), HasSubstr("alias")));
  const Answer twice = on_database({"query", "--columns", "label,fid,label", "--json"});
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.err, HasSubstr("--columns: label stands there twice"));
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
