#include "analysis/commands/cli.hpp"

#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/advice/suggestion.hpp"
#include "analysis/figures/gnuplot.hpp"
#include "analysis/queries/score_points.hpp"
#include "analysis/queries/study.hpp"
#include "common/atomic_file.hpp"
#include "common/json_document.hpp"
#include "common/trial_paths.hpp"
#include "sweeps/spec/sweep.hpp"
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
using ::testing::StartsWith;

class Cli : public ::testing::Test {
 protected:
  static Answer analysis(const std::vector<std::string>& arguments) { return test::run_analysis(arguments); }
  Answer on_database(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--db", file_.string()});
    return analysis(arguments);
  }

  /// Models whose FID is 5000 MACs^-0.25 exactly; the first `num` of six.
  void make_study(std::size_t num) const {
    results::ResultsWriter writer(file_);
    writer.put_sweep("made_up", "", {{"name", "made_up"}});
    const std::vector<std::pair<int, int>> sizes{{64, 7}, {128, 7}, {192, 7}, {64, 4}, {128, 4}, {192, 4}};
    for (std::size_t i = 0; i < num; ++i) {
      const sweeps::TrialSpec spec = test::small_spec(sizes[i].first, sizes[i].second);
      test::put_finished_trial(writer, spec, static_cast<std::int64_t>(i), fid_of(spec));
    }
  }
  static double fid_of(const sweeps::TrialSpec& spec) {
    return 5000 * std::pow(static_cast<double>(sweeps::forward_macs(spec.shape())), -0.25);
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "results.db";
};

TEST_F(Cli, EveryCommandHasHelpWithAnExample) {
  for (const char* command : {"trials", "metrics", "query", "curves", "fit", "isoflop", "frontier", "predict",
                              "suggest", "compare", "report", "import", "export", "merge", "check"}) {
    const Answer answer = analysis({command, "--help"});
    EXPECT_EQ(answer.code, 0);
    EXPECT_THAT(answer.out, AllOf(HasSubstr("Example"), HasSubstr(std::string("analysis ") + command)));
  }
}

TEST_F(Cli, AWrongCommandLineIsCode2) {
  EXPECT_EQ(analysis({}).code, 2);
  EXPECT_EQ(analysis({"draw"}).code, 2);
  EXPECT_EQ(analysis({"trials", "--colour"}).code, 2);
  EXPECT_EQ(analysis({"trials", "--db", "a", "--sweep", "b"}).code, 2);
}

TEST_F(Cli, TrialsShowsSizeStateAndScore) {
  make_study(2);
  const Answer answer = on_database({"trials"});
  EXPECT_EQ(answer.code, 0);
  EXPECT_THAT(answer.out, HasSubstr("d4-w64-h4/7"));
  EXPECT_THAT(answer.out, HasSubstr("FID (fashion_cnn features), 2000 samples"));
  EXPECT_THAT(answer.out, Not(HasSubstr("reason")));
  const Json rows = Json::parse(on_database({"trials", "--json"}).out);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["fid"].get<double>(), fid_of(test::small_spec(64, 7)));
  EXPECT_EQ(rows[0]["parameters"], test::record_of(test::small_spec(64, 7)).total_parameters);
  EXPECT_EQ(rows[0]["step"], 300);
}

TEST_F(Cli, MetricsAreThinnedForPeopleAndWholeForPrograms) {
  make_study(1);
  const std::string table = on_database({"metrics", "--rows", "3"}).out;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4);
  EXPECT_THAT(table, HasSubstr("300"));
  EXPECT_EQ(Json::parse(on_database({"metrics", "--json"}).out).size(), 30U);
  EXPECT_EQ(on_database({"metrics", "--trial", "zzz"}).code, 2);
}

TEST_F(Cli, QueryFiltersChoosesAndSorts) {
  make_study(6);
  const Json rows = Json::parse(on_database({"query", "--where", "fid < 100 and model.patch = 4", "--columns",
                                             "model.width,fid", "--sort", "fid:desc", "--json"})
                                    .out);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["model.width"], 64);
  EXPECT_EQ(rows[2]["model.width"], 192);
  EXPECT_GT(rows[0]["fid"], rows[1]["fid"]);
  EXPECT_EQ(Json::parse(on_database({"query", "--limit", "2", "--json"}).out).size(), 2U);
  const std::string csv =
      on_database({"query", "--from", "evaluations", "--where", "step = 300", "--format", "csv"}).out;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 7);
}

TEST_F(Cli, QueryNamesTheNearestColumn) {
  make_study(1);
  const Answer answer = on_database({"query", "--where", "gflop < 3"});
  EXPECT_EQ(answer.code, 2);
  EXPECT_THAT(answer.err, HasSubstr("did you mean gflops?"));
}

TEST_F(Cli, QueryRunsSqlThatReadsAndRefusesSqlThatWrites) {
  make_study(2);
  EXPECT_EQ(on_database({"query", "--sql", "SELECT count(*) AS n FROM v_trials", "--format", "csv"}).out, "n\r\n2\r\n");
  EXPECT_EQ(on_database({"query", "--sql", "SELECT 1; ; -- a note\n/* and ; another */ "}).code, 0);
  EXPECT_THAT(on_database({"query", "--sql", "SELECT 1; -- a note\nSELECT 2"}).err, HasSubstr("left over"));
  const Answer refused = on_database({"query", "--sql", "DELETE FROM trials"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("only SELECT is possible"));
}

TEST_F(Cli, FitFindsThePlantedLaw) {
  make_study(6);
  const Answer answer = on_database({"fit", "--json", "--resamples", "20", "--at", "1e9"});
  EXPECT_EQ(answer.code, 0);
  const Json json = Json::parse(answer.out);
  EXPECT_NEAR(json["forms"]["power"]["parameters"]["alpha"].get<double>(), 0.25, 1e-12);
  EXPECT_NEAR(json["forms"]["power"]["parameters"]["A"].get<double>(), 5000, 1e-6);
  EXPECT_NEAR(json["forms"]["power"]["predictions"][0]["y"].get<double>(), 5000 * std::pow(1e9, -0.25), 1e-8);
  EXPECT_LT(json["correlations"][0]["pearson"].get<double>(), -0.97);
  EXPECT_EQ(json["correlations"][0]["n"], 6);
  EXPECT_THAT(on_database({"fit", "--resamples", "20"}).out, HasSubstr("FID (fashion_cnn features) ="));
}

TEST_F(Cli, FitTakesTheLossAndTrainingComputeToo) {
  make_study(6);
  EXPECT_EQ(on_database({"fit", "--y", "loss", "--x", "parameters", "--resamples", "0"}).code, 0);
  EXPECT_EQ(on_database({"fit", "--x", "training_flops", "--points", "all", "--resamples", "5"}).code, 0);
  EXPECT_THAT(on_database({"fit", "--points", "all", "--resamples", "5"}).out, HasSubstr("against training_flops (x)"));
  EXPECT_EQ(on_database({"fit", "--points", "all", "--x", "forward_macs"}).code, 2);
  EXPECT_EQ(on_database({"fit", "--x", "colour"}).code, 2);
}

TEST_F(Cli, FitReadsACsvFileAndNamesTheLineOfAMistake) {
  const std::filesystem::path csv = folder_ / "points.csv";
  std::ofstream(csv) << "model,\"a, x\",y\nS,1,100\nB,4,50\n\"L \"\"big\"\"\",16,25\nXL,,3\n";
  const Answer answer =
      analysis({"fit", "--csv", csv.string(), "--x", "a, x", "--y", "y", "--json", "--resamples", "0"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_NEAR(Json::parse(answer.out)["forms"]["power"]["parameters"]["alpha"].get<double>(), 0.5, 1e-12);
  std::ofstream(csv) << "x,y\n1,2\n2,many\n";
  EXPECT_THAT(analysis({"fit", "--csv", csv.string(), "--x", "x", "--y", "y"}).err,
              HasSubstr("points.csv:3: \"many\""));
  EXPECT_THAT(analysis({"fit", "--csv", csv.string(), "--x", "z", "--y", "y"}).err, HasSubstr("columns: x, y"));
}

TEST_F(Cli, ACsvFileOfAnotherKindIsRefusedWithWhatToDo) {
  const auto refused = [&](const std::string& text, const std::string& words) {
    std::ofstream(folder_ / "points.csv") << text;
    const Answer answer = analysis({"fit", "--csv", (folder_ / "points.csv").string(), "--x", "x", "--y", "y"});
    EXPECT_EQ(answer.code, 1);
    EXPECT_THAT(answer.err, HasSubstr(words));
  };
  refused("x;y\n1;2\n", "fields must be separated by commas");
  refused("x,y,x\n1,2,3\n", "column \"x\" stands there twice; rename one");
  refused("x,y\n1,2\n2,-1\n3,1\n", "needs positive numbers: correct it, or leave it out");
  refused("x,y\n1,2\n0,1\n3,1\n", "needs positive numbers");
  std::string many = "x,y\n";
  for (int i = 1; i <= 200'001; ++i) many += std::to_string(i) + ",1\n";
  refused(many, "Take fewer of each run");
  std::ofstream(folder_ / "points.csv").close();
  std::filesystem::resize_file(folder_ / "points.csv", 300U << 20);
  EXPECT_THAT(analysis({"fit", "--csv", (folder_ / "points.csv").string(), "--x", "x", "--y", "y"}).err,
              HasSubstr("300 MB are more than a table of runs has"));
}

TEST_F(Cli, WrongOptionsAreRefused) {
  make_study(1);
  EXPECT_EQ(on_database({"query", "--limit", "-1"}).code, 2);
  EXPECT_EQ(on_database({"trials", "--json", "--format", "nonsense"}).code, 2);
}

TEST_F(Cli, AdviceOnMissingScoresNamesThem) {
  {
    results::ResultsWriter writer(file_);
    for (const int width : {64, 128}) test::put_finished_trial(writer, test::small_spec(width), width, std::nullopt);
  }
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"suggest"},
                                             {"predict", "--set", "model.width=96"},
                                             {"isoflop", "--y", "fid"},
                                             {"frontier", "--y", "fid"}}) {
    const Answer answer = on_database(command);
    EXPECT_EQ(answer.code, 1) << command.front();
    EXPECT_THAT(answer.err, HasSubstr("no fid: the covariance is not finite")) << command.front();
  }
}

TEST_F(Cli, CheckRefusesAnEmptyDatabaseInOneSentence) {
  std::ofstream(file_).close();
  const Answer answer = on_database({"check"});
  EXPECT_EQ(answer.code, 1);
  EXPECT_THAT(answer.err, HasSubstr("the database is empty; run a sweep first"));
}

TEST_F(Cli, ACsvFileWithoutNumbersOrWithAHugeFieldIsRefusedInOneSentence) {
  const std::string csv = (folder_ / "points.csv").string();
  const auto refusal = [&](const std::string& text) {
    std::ofstream(csv) << text;
    const Answer answer = analysis({"fit", "--csv", csv, "--x", "x", "--y", "y"});
    EXPECT_EQ(answer.code, 1);
    return answer.err;
  };
  EXPECT_THAT(refusal("x,y\n1,nan\n2,nan\n3,nan\n"),
              HasSubstr("none of its 3 rows has a number in each of the columns x, y"));
  EXPECT_THAT(refusal("x,y\n1,\n2,\n"), HasSubstr("none of its 2 rows"));
  EXPECT_THAT(refusal("x\n1\n"), HasSubstr("there is no column \"y\""));
  EXPECT_THAT(refusal(""), HasSubstr("a header and rows are needed"));
  EXPECT_THAT(refusal("x,y\n1,2,3\n"), HasSubstr(":2: more fields than the header, which has 2"));
  EXPECT_THAT(refusal("x,y\n1\n"), HasSubstr("1 fields, the header has 2"));
  const std::string huge = refusal("x,y\n1," + std::string(1 << 20, 'a') + "\n");
  EXPECT_THAT(huge, HasSubstr("is not a number"));
  EXPECT_LT(huge.size(), 500U);
}

TEST_F(Cli, WhatIsNoResultsDatabaseIsRefusedInOneSentence) {
  EXPECT_THAT(analysis({"trials", "--db", folder_.path().string()}).err, HasSubstr("give the results.db inside it"));
  std::ofstream(file_)
      << "no database at all, though long enough to be looked at as one, which takes some hundred bytes";
  EXPECT_THAT(on_database({"trials"}).err, HasSubstr("not a results database"));
}

TEST_F(Cli, OnePointIsRefusedWithWhatToRun) {
  make_study(1);
  const Answer fit = on_database({"fit"});
  EXPECT_EQ(fit.code, 1);
  EXPECT_THAT(fit.err, AllOf(HasSubstr("1 different value of x"), HasSubstr("run more model sizes")));
}

TEST_F(Cli, ScoresThatAreAllMissingAreRefusedWithTheirReason) {
  {
    results::ResultsWriter writer(file_);
    test::put_finished_trial(writer, test::small_spec(), 0, std::nullopt);
  }
  for (const char* command : {"fit", "curves"}) {
    const Answer answer = on_database({command, "--json"});
    EXPECT_EQ(answer.code, 1);
    EXPECT_THAT(answer.err, HasSubstr("the covariance is not finite"));
  }
}

TEST_F(Cli, MixedSettingsAreRefusedUntilOneIsChosen) {
  make_study(6);
  {
    results::ResultsWriter writer(file_);
    test::MadeUpAttempt more(test::small_spec(64, 7), 2);
    writer.start_attempt(more.record());
    more.started(300).evaluation(300, 77.0, 5000);
    writer.ingest(more.events());
  }
  const Answer refused = on_database({"fit"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("2 different settings"), HasSubstr("num_samples=2000"),
                                 HasSubstr("num_samples=5000"), Not(HasSubstr("guidance"))));
  const std::string id = refused.err.substr(refused.err.find("num_samples=2000") - 10, 8);
  EXPECT_EQ(on_database({"fit", "--settings", id, "--resamples", "0"}).code, 0);
  EXPECT_EQ(on_database({"fit", "--settings", "nothing"}).code, 2);
  EXPECT_EQ(on_database({"trials"}).code, 0);  // a column for each
}

TEST_F(Cli, ScoresOfSeveralNumbersOfSamplesAreExtrapolatedToInfinitelyMany) {
  // FID = 5000 MACs^-0.25 + c / n, and c differs from model to model, so that no single n gives the planted exponent.
  {
    results::ResultsWriter writer(file_);
    const std::vector<int> widths{64, 96, 128, 192, 256};
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const sweeps::TrialSpec spec = test::small_spec(widths[i]);
      writer.put_trials(std::vector{test::record_of(spec, static_cast<std::int64_t>(i))});
      test::MadeUpAttempt attempt(spec, 1);
      writer.start_attempt(attempt.record());
      for (const int n : {500, 1000, 2000}) {
        if (i == 4 && n > 500) continue;
        attempt.evaluation(300, fid_of(spec) + 4000.0 * static_cast<double>(i + 1) / n, n);
      }
      writer.ingest(attempt.outcome(300, "succeeded").events());
      writer.set_trial_state(spec.id(), results::TrialState::kSucceeded, "", 1030);
    }
  }
  const Answer fit = on_database({"fit", "--y", "fid_infinity", "--form", "power", "--json"});
  ASSERT_EQ(fit.code, 0) << fit.err;
  const Json json = Json::parse(fit.out);
  EXPECT_NEAR(json["parameters"]["alpha"].get<double>(), 0.25, 1e-9);
  EXPECT_EQ(json["source"]["settings"]["num_samples"], "extrapolated from 500, 1000, 2000");
  EXPECT_THAT(json["left_out"].dump(), HasSubstr("one usable numbers of samples of fid"));
  EXPECT_THAT(on_database({"trials"}).out, HasSubstr("fid_infinity"));
  const Json rows =
      Json::parse(on_database({"query", "--from", "evaluations", "--where", "metric = 'fid_infinity'", "--json"}).out);
  EXPECT_EQ(rows.size(), 5U);
}

TEST_F(Cli, OneNumberOfSamplesIsNotExtrapolatedAndSaysWhatToRun) {
  make_study(3);
  const Answer answer = on_database({"fit", "--y", "fid_infinity"});
  EXPECT_EQ(answer.code, 1);
  EXPECT_THAT(answer.err, HasSubstr("fid was scored with 2000 samples, and an extrapolation in 1/n takes two"));
}

TEST_F(Cli, AnUnfinishedTrialIsLeftOutOfTheFitAndNamed) {
  make_study(4);
  {
    results::ResultsWriter writer(file_);
    const sweeps::TrialSpec spec = test::small_spec(192, 4);
    const std::vector<results::TrialRecord> records{test::record_of(spec, 5)};
    writer.put_trials(records);
    test::MadeUpAttempt attempt(spec, 1);
    writer.start_attempt(attempt.record());
    attempt.started(0).metric(100, 0.4).evaluation(100, 222.0);
    writer.ingest(attempt.events());
    writer.set_trial_state(spec.id(), results::TrialState::kDiverged, "loss is not finite", 1);
  }
  const Json json = Json::parse(on_database({"fit", "--json", "--resamples", "0"}).out);
  EXPECT_EQ(json["points"].size(), 4U);
  EXPECT_EQ(json["left_out"][0]["why"], "diverged after step 100 of 300: loss is not finite");
}

TEST_F(Cli, WhatFailedAfterItsLastStepIsInTheFitOfScoresAndOfLosses) {
  make_study(5);
  const auto becomes = [this](results::TrialState state) {
    results::ResultsWriter writer(file_);
    writer.set_trial_state(test::small_spec(128, 4).id(), state, "made up", 2000);
  };
  for (const char* y : {"fid", "loss"}) {
    becomes(results::TrialState::kFailed);
    const Json failed = Json::parse(on_database({"fit", "--y", y, "--json", "--resamples", "0"}).out);
    EXPECT_EQ(failed["points"].size(), 5U) << y;
    EXPECT_TRUE(failed["left_out"].empty()) << y;
    becomes(results::TrialState::kDiverged);
    const Json diverged = Json::parse(on_database({"fit", "--y", y, "--json", "--resamples", "0"}).out);
    EXPECT_EQ(diverged["points"].size(), 4U) << y;
    EXPECT_EQ(diverged["left_out"][0]["why"], "diverged after step 300 of 300: made up") << y;
  }
}

TEST_F(Cli, AnEmptyOrMissingDatabaseSaysWhatToDo) {
  EXPECT_THAT(analysis({"trials", "--db", (folder_ / "no.db").string()}).err, HasSubstr("run a sweep first"));
  { const results::ResultsWriter writer(file_); }
  const Answer answer = on_database({"trials"});
  EXPECT_EQ(answer.code, 1);
  EXPECT_THAT(answer.err, HasSubstr("no trials yet; run a sweep first"));
  EXPECT_THAT(analysis({"trials", "--runs", (folder_ / "nowhere").string()}).err, HasSubstr("give --db FILE"));
}

TEST_F(Cli, TheNewestDatabaseBelowRunsIsTheDefault) {
  make_study(1);
  const std::filesystem::path older = folder_ / "runs/older/results.db";
  const std::filesystem::path newer = folder_ / "runs/newer/results.db";
  for (const auto& path : {older, newer}) {
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::copy_file(file_, path);
  }
  std::filesystem::last_write_time(older, std::filesystem::last_write_time(newer) - std::chrono::hours(1));
  EXPECT_EQ(find_database("", (folder_ / "runs").string(), ""), newer);
  EXPECT_EQ(find_database("", (folder_ / "runs").string(), "older"), older);
}

TEST_F(Cli, CurvesWritesFiguresAndSaysHowScoreGoesWithSize) {
  make_study(6);
  const Answer answer = on_database({"curves", "--out", (folder_ / "figures").string()});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("log10 forward_macs and fid: Pearson r -0.9"), HasSubstr("(n = 6)")));
  for (const char* name : {"fid_by_forward_gflops", "fid_by_parameters", "fid_by_training_flops", "loss_by_step",
                           "loss_by_training_flops"}) {
    for (const char* ending : {".svg", ".png", ".pdf", ".csv", ".json"}) {
      EXPECT_TRUE(std::filesystem::exists(folder_ / "figures" / (std::string(name) + ending))) << name << ending;
    }
  }
  const Json json = common::read_json(folder_ / "figures/fid_by_forward_gflops.json").value;
  EXPECT_EQ(json["y"]["label"], "FID (fashion_cnn features)");
  EXPECT_EQ(json["settings"]["num_samples"], 2000);
  EXPECT_EQ(json["program"]["revision"], "abc");
}

TEST_F(Cli, FitShowsMeanAndLowestOfSeedsAndKeepsAllOfThem) {
  {
    results::ResultsWriter writer(file_);
    int position = 0;
    for (const int width : {64, 128, 192}) {
      for (const int seed : {0, 1, 2}) {
        const sweeps::TrialSpec spec = test::small_spec(width, 7, seed);
        test::put_finished_trial(writer, spec, position++, 1000.0 / width + seed);
      }
    }
  }
  const Json json = Json::parse(on_database({"fit", "--form", "power", "--json"}).out);
  EXPECT_EQ(json["points"].size(), 9U);
  ASSERT_EQ(json["seeds"].size(), 3U);
  EXPECT_EQ(json["seeds"][0]["seeds"], 3);
  EXPECT_NEAR(json["seeds"][0]["mean fid"].get<double>(), 1000.0 / 64 + 1, 1e-9);
  EXPECT_NEAR(json["seeds"][0]["lowest"].get<double>(), 1000.0 / 64, 1e-9);
  EXPECT_NEAR(json["seeds"][0]["standard deviation"].get<double>(), 1, 1e-9);
  EXPECT_THAT(on_database({"fit", "--form", "power"}).out, HasSubstr("runs that differ in the seed only"));
}

TEST_F(Cli, FitDrawsLawResidualsAndHeldOutScores) {
  make_study(6);
  const std::string out = (folder_ / "figures").string();
  EXPECT_EQ(on_database({"fit", "--form", "power", "--out", out}).code, 0);
  for (const char* name : {"fit", "residuals", "held_out"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_ / "figures" / (std::string(name) + ".csv"))) << name;
  }
  EXPECT_THAT(common::read_file(folder_ / "figures/fit.csv"), HasSubstr("low_95,high_95"));
}

TEST_F(Cli, PredictGivesScoreCostAndHowFarItReaches) {
  make_study(6);
  const Json p = Json::parse(on_database({"predict", "--set", "model.width=384", "--json"}).out);
  sweeps::TrialSpec larger = test::small_spec(384, 7);
  EXPECT_NEAR(p["score"].get<double>(), fid_of(larger), 1e-6);
  EXPECT_NEAR(p["extrapolation_ratio"].get<double>(),
              std::max(1.0, p["forward_macs"].get<double>() /
                                static_cast<double>(sweeps::forward_macs(test::small_spec(192, 4).shape()))),
              1e-9);
  EXPECT_TRUE(p["rate_measured"].get<bool>());
  EXPECT_EQ(on_database({"predict", "--set", "model.width=65"}).code, 1);
}

TEST_F(Cli, PredictRefusesALengthThatALawOverSizeDoesNotHold) {
  make_study(6);
  const Answer refused = on_database({"predict", "--set", "model.width=384", "--set", "train.steps=10"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("trainings of 19200 images, and this configuration sees 640"),
                                 HasSubstr("needs a study with several, and --x training_flops")));
  EXPECT_EQ(on_database({"predict", "--set", "train.steps=150", "--set", "train.global_batch=128"}).code, 0);
  EXPECT_EQ(on_database({"predict", "--set", "train.steps=10", "--x", "training_flops"}).code, 0);
  {
    results::ResultsWriter writer(file_);
    sweeps::TrialSpec longer = test::small_spec(64, 7);
    longer.train.steps = 600;
    test::put_finished_trial(writer, longer, 6, fid_of(longer) / 2);
  }
  EXPECT_EQ(on_database({"predict", "--set", "train.steps=10"}).code, 0);  // against training FLOPs
  EXPECT_THAT(on_database({"predict", "--set", "train.steps=10", "--x", "parameters"}).err,
              HasSubstr("take one of those lengths, or --x training_flops"));
}

TEST(Cost, OfALargeModelIsNotKnownFromRunsThatLaunchesTook) {
  sweeps::TrialSpec large = test::small_spec(1024, 2);
  large.model.depth = 24;
  Study study;
  sweeps::MeasuredRun run{10, {/*work_s=*/1e-6, /*launches_s=*/5}};
  study.measured_runs = [&](const sweeps::ResourceSpec&) { return std::vector{run}; };
  EXPECT_FALSE(is_like_measured(study, large));
  run.roofline = {/*work_s=*/5, /*launches_s=*/1e-6};
  EXPECT_TRUE(is_like_measured(study, large));
}

TEST_F(Cli, SuggestTrainsAsLongAsTheStudy) {
  {
    results::ResultsWriter writer(file_);
    for (const int width : {64, 128, 192, 256}) {
      const sweeps::TrialSpec spec = test::small_spec(width);
      test::put_finished_trial(writer, spec, width, fid_of(spec) * (width == 128 ? 1.02 : 0.98));
      results::TrialRecord record = test::record_of(spec, width);
      record.axes = {{"model.width", width}, {"train.steps", 300}, {"train.global_batch", 64}};
      writer.put_trials(std::vector<results::TrialRecord>{record});
    }
  }
  const Study study = load_study(file_);
  const Candidates candidates = candidates_of(study, study_law(study, {}));
  // Widths between and beyond those of the study, each once.
  EXPECT_EQ(candidates.num_combinations, 9U);
  EXPECT_EQ(candidates.list.size(), 5U);
  {
    results::ResultsWriter writer(file_);
    sweeps::TrialSpec longer = test::small_spec(64);
    longer.train.steps = 600;
    test::put_finished_trial(writer, longer, 6, fid_of(longer) / 2);
    results::TrialRecord record = test::record_of(longer, 6);
    record.axes = {{"model.width", 64}, {"train.steps", 600}, {"train.global_batch", 64}};
    writer.put_trials(std::vector<results::TrialRecord>{record});
  }
  const Study two_lengths = load_study(file_);
  AdviceOptions options;
  options.x = "parameters";
  for (const Candidate& one : candidates_of(two_lengths, study_law(two_lengths, options)).list) {
    EXPECT_THAT(one.spec.train.steps, testing::AnyOf(300, 600));
  }
  options.x = "training_flops";
  EXPECT_GT(candidates_of(two_lengths, study_law(two_lengths, options)).list.size(), 20U);
}

TEST_F(Cli, SuggestSaysWhenNothingWouldScoreItsTrials) {
  {
    results::ResultsWriter writer(file_);
    for (const int width : {64, 128, 192, 256}) {
      sweeps::TrialSpec spec = test::small_spec(width);
      spec.evaluate.clear();
      test::put_finished_trial(writer, spec, width, fid_of(spec) * (width == 128 ? 1.02 : 0.98));
    }
  }
  const std::string file = (folder_ / "next.json").string();
  EXPECT_THAT(on_database({"suggest", "--out", file}).err,
              HasSubstr("nothing under \"evaluate\" of this sweep gives fid"));
  EXPECT_EQ(on_database({"suggest", "--out", file, "--y", "loss"}).err, "");
}

TEST_F(Cli, SuggestWritesASweepFileThatCanBeSubmitted) {
  {
    results::ResultsWriter writer(file_);
    const std::vector<std::pair<int, int>> sizes{{64, 7}, {128, 7}, {192, 7}, {64, 4}, {128, 4}, {192, 4}};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const sweeps::TrialSpec spec = test::small_spec(sizes[i].first, sizes[i].second);
      test::put_finished_trial(writer, spec, static_cast<std::int64_t>(i), fid_of(spec) * (i % 2 == 0 ? 1.02 : 0.98));
    }
  }
  const std::string file = (folder_ / "next.json").string();
  const Answer answer = on_database({"suggest", "--count", "2", "--out", file});
  ASSERT_EQ(answer.code, 0) << answer.err;
  const sweeps::Sweep sweep = sweeps::load_sweep(file);
  EXPECT_EQ(sweep.cells.size(), 2U);
  const Json json = Json::parse(on_database({"suggest", "--count", "2", "--json"}).out);
  for (const Json& one : json["suggestions"]) {
    EXPECT_LT(one["after"].get<double>(), one["half width before"].get<double>());
  }
  EXPECT_EQ(on_database({"suggest", "--shrink", "omega"}).code, 2);
}

/// In the order of the axes the last of them would not be varied among the first 2,000.
TEST_F(Cli, SuggestLooksAtAllAxesOfALargeGrid) {
  {
    results::ResultsWriter writer(file_);
    for (int i = 0; i < 16; ++i) {
      sweeps::TrialSpec spec = test::small_spec(64 + 64 * (i % 4), 7);
      spec.model.depth = 2 + i;
      spec.train.global_batch = 16 * (1 + i);
      spec.train.lr = 1e-4 * (1 + i);
      results::TrialRecord record = test::record_of(spec, i);
      record.axes = {{"model.depth", spec.model.depth},
                     {"model.width", spec.model.width},
                     {"train.global_batch", spec.train.global_batch},
                     {"train.lr", spec.train.lr}};
      test::put_finished_trial(writer, spec, i, fid_of(spec) * (1 + 0.01 * (i % 3)));
      writer.put_trials(std::vector<results::TrialRecord>{record});
    }
  }
  const Study study = load_study(file_);
  const Candidates candidates = candidates_of(study, study_law(study, {}));
  // Depths 2 to 17, 1 and 26; widths with those between and beyond; batches, 8, 23 and 384 (what lies between the
  // others is rounded to them); the rate does not move x, so that of the best is held.
  EXPECT_EQ(candidates.num_combinations, 18U * 9 * 19);
  EXPECT_LT(candidates.num_looked_at, candidates.num_combinations);
  std::set<Json> rates;
  std::set<Json> batches;
  for (const Candidate& one : candidates.list) {
    rates.insert(one.axes["train.lr"]);
    batches.insert(one.axes["train.global_batch"]);
  }
  EXPECT_EQ(rates.size(), 1U);
  EXPECT_EQ(batches.size(), 19U);
  EXPECT_THAT(on_database({"suggest"}).err, HasSubstr("combinations were looked at"));
}

TEST_F(Cli, FrontierNamesTheBestMeasuredForEachBudget) {
  make_study(6);
  const Json rows =
      Json::parse(on_database({"frontier", "--y", "fid", "--all-points", "--budgets", "1e30", "--json"}).out);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["best measured"], "model.patch=4 model.width=192");
}

TEST_F(Cli, FrontierTakesTheEnvelopeWhereNothingElseHasALaw) {
  // Each size where it is best, with too little and with too much data: a narrow valley that is no surface of the form
  // fitted, with one size at a budget.
  const std::filesystem::path csv = folder_ / "runs.csv";
  std::ofstream out(csv);
  out << "run,n,d,loss\n";
  for (int i = 0; i < 124; ++i) {
    const double n = 1e5 * std::pow(1.25, i);
    const double best = 11.516 * std::pow(1.25, -0.04 * i);
    out << fmt::format("r{0},{1},{2},{3}\nr{0},{1},{4},{5}\nr{0},{1},{6},{7}\n", i, n, 12 * n, 1.0364 * best, 20 * n,
                       best, 34 * n, 1.01606 * best);
  }
  out.close();
  const Answer answer = analysis({"frontier", "--csv", csv.string(), "--n", "n", "--d", "d", "--y", "loss"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("law: approach 1 envelope"));
}

TEST_F(Cli, FrontierLeavesOutPointsWithoutACompute) {
  for (const char* n : {"0,1e8", "1e200,1e200"}) {
    const std::filesystem::path csv = folder_ / "runs.csv";
    std::ofstream(csv) << "n,d,loss\n1e6,1e8,3\n" << n << ",2\n1e7,1e8,2.5\n";
    const Answer answer = analysis({"frontier", "--csv", csv.string(), "--n", "n", "--d", "d", "--y", "loss"});
    EXPECT_EQ(answer.code, 0) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("compute is not positive and finite: 1"));
  }
}

TEST_F(Cli, CompareSetsTwoStudiesBesideEachOther) {
  make_study(4);
  const std::filesystem::path other = folder_ / "other.db";
  {
    results::ResultsWriter writer(other);
    const sweeps::TrialSpec spec = test::small_spec(64, 7);
    test::put_finished_trial(writer, spec, 0, 2 * fid_of(spec));
  }
  const Json rows = Json::parse(analysis({"compare", file_.string(), other.string(), "--json"}).out);
  ASSERT_EQ(rows.size(), 4U);
  int both = 0;
  for (const Json& row : rows) {
    if (row["right / left"].is_null()) continue;
    EXPECT_NEAR(row["right / left"].get<double>(), 2, 1e-12);
    ++both;
  }
  EXPECT_EQ(both, 1);
  const std::string figures = (folder_ / "figures").string();
  ASSERT_EQ(analysis({"compare", file_.string(), other.string(), "--out", figures, "--size", "column"}).code, 0);
  EXPECT_EQ(common::read_json(folder_ / "figures/fid_of_two_studies.json").value["num_points"], 5);
}

TEST_F(Cli, CurvesSetsSamplesBesideEachOtherByRisingCompute) {
  make_study(2);
  const common::StudyPaths paths{folder_.path()};
  for (const int width : {64, 128}) {
    const std::filesystem::path samples = paths.trial(test::small_spec(width, 7).id()).samples();
    std::filesystem::create_directories(samples);
    for (const char* step : {"step-100.png", "step-300.png"}) {
      // Any picture will do: one that gnuplot draws.
      run_gnuplot(
          fmt::format("set terminal pngcairo size 40,30\nset output '{}'\nplot x\n", (samples / step).string()));
    }
    std::ofstream(samples / "step-400.png") << "no picture";
    if (width == 64) std::filesystem::remove(samples / "step-400.png");
  }
  ASSERT_EQ(on_database({"curves", "--out", (folder_ / "figures").string()}).code, 0);
  const std::string csv = common::read_file(folder_ / "figures/sample_matrix.csv");
  EXPECT_THAT(csv, AllOf(HasSubstr("d4-w64-h4/7,300"), Not(HasSubstr("step-100")), Not(HasSubstr("step-400"))));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "figures/sample_matrix.pdf"));
}

TEST_F(Cli, AFigureSizeThatIsNotKnownIsRefusedWithThoseThatAre) {
  make_study(1);
  const Answer answer = on_database({"curves", "--out", (folder_ / "figures").string(), "--size", "poster"});
  EXPECT_EQ(answer.code, 2);
  EXPECT_THAT(answer.err, HasSubstr("page, column, slide"));
}

TEST_F(Cli, APapersBackdropStandsNeverBesideOtherFeatures) {
  make_study(3);
  const Answer answer = on_database({"curves", "--out", (folder_ / "figures").string(), "--backdrop",
                                     DITSCALE_SOURCE_DIR "/tests/golden/paper_tables.json"});
  EXPECT_EQ(answer.code, 2);
  EXPECT_THAT(answer.err, HasSubstr("must not share a figure"));
}

TEST_F(Cli, CurvesDrawsOnePointAndSaysThatThereIsNoCorrelation) {
  make_study(1);
  const Answer answer = on_database({"curves", "--terminal"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("patch 7"), HasSubstr("no correlation (n = 1")));
}

class SmoothedLoss : public ::testing::Test {
 protected:
  /// One trial whose loss at step 10 (i + 1) is i².
  Study study_of(int num_steps) const {
    Study study;
    study.trials.resize(1);
    study.trials[0].row.trial.id = common::TrialId("0123456789abcdef");
    study.read_losses = [num_steps](const common::TrialId&, results::LossKind, std::int64_t) {
      std::vector<results::LossRow> rows;
      for (int i = 0; i < num_steps; ++i) rows.push_back({10 * (i + 1), 1.0 * i * i});
      return rows;
    };
    return study;
  }
};

TEST_F(SmoothedLoss, IsTheCentredMeanOfATenthOfTheCurve) {
  const Study study = study_of(40);
  const auto curve = smoothed_loss(study, study.trials[0], "loss");
  ASSERT_EQ(curve.size(), 40U);
  EXPECT_EQ(curve[0].value, 0);
  EXPECT_DOUBLE_EQ(curve[1].value, (0 + 1 + 4) / 3.0);
  EXPECT_DOUBLE_EQ(curve[20].value, 400 + 2);  // mean of squares of 18…22
  EXPECT_EQ(curve[39].value, 39 * 39);
}

TEST_F(SmoothedLoss, OfALongCurveIsKeptEvenlyInTheLogarithmOfTheStep) {
  const Study study = study_of(5000);
  const auto whole = smoothed_loss(study, study.trials[0], "loss");
  const auto few = smoothed_loss(study, study.trials[0], "loss", 100);
  ASSERT_EQ(whole.size(), 5000U);
  EXPECT_LE(few.size(), 102U);
  EXPECT_GE(few.size(), 60U);
  EXPECT_EQ(few.front().step, 10);
  EXPECT_EQ(few.back().step, 50'000);
  const double ratio = std::pow(5000, 0.01);
  for (std::size_t i = 1; i + 1 < few.size(); ++i) {
    EXPECT_GE(static_cast<double>(few[i].step), ratio * static_cast<double>(few[i - 1].step));
    EXPECT_EQ(few[i].value, whole[static_cast<std::size_t>(few[i].step / 10 - 1)].value);
  }
}

}  // namespace
}  // namespace ditscale::analysis
