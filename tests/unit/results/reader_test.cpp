#include "results/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "results/writer.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::results {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Reader : public ::testing::Test {
 protected:
  void SetUp() override {
    ResultsWriter writer(file_);
    writer.put_sweep("made_up", "", {{"name", "made_up"}});
    test::put_finished_trial(writer, test::small_spec(64), 0, 300.0);
    test::put_finished_trial(writer, test::small_spec(128), 1, 150.0);
  }

  std::string refusal(const std::string& sql) {
    const ResultsReader reader(file_);
    try {
      reader.query(
          sql, [](const auto&) {}, [](const auto&) {});
    } catch (const common::UsageError& error) {
      return error.what();
    }
    return "not refused";
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "results.db";
};

TEST_F(Reader, GivesTrialsWithTheirProgress) {
  const auto trials = ResultsReader(file_).trials();
  ASSERT_EQ(trials.size(), 2U);
  EXPECT_EQ(trials[0].trial.label, "model.patch=7 model.width=64");
  EXPECT_EQ(trials[1].steps_done, 300);
  EXPECT_EQ(trials[1].num_attempts, 1);
  EXPECT_DOUBLE_EQ(trials[1].seconds.value(), 30);
  EXPECT_DOUBLE_EQ(trials[1].images_per_s.value(), 640);
}

TEST_F(Reader, OutlinesTrialsWithoutParsingTheirConfigurations) {
  const ResultsReader reader(file_);
  const auto whole = reader.trials();
  const auto outlined = reader.outlined_trials();
  ASSERT_EQ(outlined.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const OutlinedTrial& trial = outlined[i];
    EXPECT_EQ(trial.row.trial.id, whole[i].trial.id);
    EXPECT_EQ(trial.row.trial.total_parameters, whole[i].trial.total_parameters);
    EXPECT_EQ(trial.row.last_loss, whole[i].last_loss);
    EXPECT_EQ(trial.row.seconds, whole[i].seconds);
    EXPECT_TRUE(trial.row.trial.spec.is_null());
    EXPECT_EQ(trial.spec.value(), whole[i].trial.spec);
    EXPECT_EQ(trial.axes.value(), whole[i].trial.axes);
    EXPECT_EQ(trial.width, whole[i].trial.spec["model"]["width"]);
    EXPECT_EQ(trial.planned_steps, whole[i].trial.spec["train"]["steps"]);
    EXPECT_EQ(trial.block, "adaln_zero");
  }
}

TEST(StoredJson, ThatDoesNotParseIsRefusedWhenItIsLookedAt) {
  const StoredJson broken("{\"model\":");
  EXPECT_THROW((void)broken.value(), common::CorruptData);
  EXPECT_TRUE(StoredJson().value().is_null());
}

TEST_F(Reader, GivesEverySettingOfAScoreOnce) {
  const auto settings = ResultsReader(file_).settings();
  ASSERT_EQ(settings.size(), 1U);
  EXPECT_EQ(settings[0].document["features"], "fashion_cnn");
  EXPECT_EQ(settings[0].document["reference_digest"], "beef");
}

TEST_F(Reader, RunsASelectAndKeepsTypes) {
  const ResultsReader reader(file_);
  std::vector<std::string> names;
  std::vector<SqlValue> row;
  reader.query(
      "SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d, x'00ff' AS e", [&](const auto& n) { names = n; },
      [&](const auto& r) { row = r; });
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(row, ElementsAre(SqlValue{std::int64_t{1}}, SqlValue{2.5}, SqlValue{std::string("x")},
                               SqlValue{std::monostate{}}, SqlValue{std::string("<2 bytes>")}));
}

TEST_F(Reader, RefusesSqlThatWritesAttachesOrLoads) {
  for (const char* sql :
       {"DELETE FROM trials", "UPDATE trials SET label = 'x'", "INSERT INTO sweeps VALUES('a', 'b', 'c')",
        "DROP TABLE trials", "CREATE TABLE x(a)", "CREATE TEMP TABLE x(a)", "ATTACH 'other.db' AS other",
        "PRAGMA user_version = 9", "PRAGMA journal_mode = DELETE", "VACUUM INTO 'copy.db'", "BEGIN IMMEDIATE",
        "WITH x AS (SELECT 1) DELETE FROM trials", "REPLACE INTO sweeps VALUES('a', 'b', 'c')"}) {
    EXPECT_THAT(refusal(sql), HasSubstr("only SELECT is possible")) << sql;
  }
  EXPECT_THAT(refusal("SELECT load_extension('x')"), HasSubstr("--sql"));
  EXPECT_EQ(ResultsReader(file_).trials().size(), 2U);
}

TEST_F(Reader, RefusesASecondStatementAndBrokenSql) {
  EXPECT_THAT(refusal("SELECT 1; DELETE FROM trials"), HasSubstr("one statement at a time"));
  EXPECT_THAT(refusal("SELECT colour FROM trials"), HasSubstr("no such column: colour"));
  EXPECT_THAT(refusal("  "), HasSubstr("empty statement"));
  EXPECT_EQ(refusal("SELECT 1;  "), "not refused");
}

TEST_F(Reader, ReadsWhileTheWriterIsInTheMiddleOfABatch) {
  ResultsWriter writer(file_);
  const ResultsWriter::Batch batch(writer);
  const std::vector<TrialRecord> records{test::record_of(test::small_spec(192), 2)};
  writer.put_trials(records);
  EXPECT_EQ(ResultsReader(file_).trials().size(), 2U);
}

TEST_F(Reader, ReadsAFileWhoseSideFilesCannotBeMade) {
  const std::filesystem::path copy = folder_ / "read only?%/results.db";
  std::filesystem::create_directories(copy.parent_path());
  std::filesystem::copy_file(file_, copy);
  // A folder in the place of the -shm file stops even root from making it.
  std::filesystem::create_directories(copy.string() + "-shm");
  EXPECT_EQ(ResultsReader(copy).trials().size(), 2U);
}

TEST_F(Reader, AMissingFileSaysWhatToDo) {
  try {
    const ResultsReader reader(folder_ / "nothing.db");
    FAIL();
  } catch (const common::SystemError& error) {
    EXPECT_THAT(error.what(), HasSubstr("run a sweep first"));
  }
}

}  // namespace
}  // namespace ditscale::results
