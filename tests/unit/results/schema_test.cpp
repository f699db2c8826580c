#include "results/storage/schema.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "results/maintenance/check.hpp"
#include "results/maintenance/merge.hpp"
#include "results/reader.hpp"
#include "results/storage/filesystem.hpp"
#include "results/writer.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::results {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Schema : public ::testing::Test {
 protected:
  SQLite::Database open() { return {file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}; }

  /// A database as schema version 1 left it: tables, no views, one trial.
  void make_version_1() {
    SQLite::Database database = open();
    migrate(database, file_, 1);
    const TrialRecord t = test::record_of(test::small_spec());
    database.exec(
        fmt::format("INSERT INTO trials VALUES('{}', 0, 'old', '{{}}', '{}', 1, 1, 1, 1.0, 'failed', 'why', NULL)",
                    t.id.str(), t.spec.dump()));
  }

  int version() {
    SQLite::Database database = open();
    return database.execAndGet("PRAGMA user_version").getInt();
  }

  template <typename Call>
  std::string message_of(Call call) {
    try {
      call();
    } catch (const common::ConfigError& error) {
      return error.what();
    }
    return "no ConfigError";
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "results.db";
};

TEST_F(Schema, ANewFileGetsTheNewestVersionAndRemembersEachStep) {
  { const ResultsWriter writer(file_); }
  EXPECT_EQ(version(), kSchemaVersion);
  SQLite::Database database = open();
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM schema_steps").getInt(), kSchemaVersion);
}

TEST_F(Schema, TheWriterBringsAnOlderFileUpToDateAndKeepsItsRows) {
  make_version_1();
  ASSERT_EQ(version(), 1);
  const ResultsWriter writer(file_);
  EXPECT_EQ(version(), kSchemaVersion);
  ASSERT_EQ(writer.standings().size(), 1U);
  EXPECT_EQ(writer.standings()[0].reason, "why");
  EXPECT_EQ(ResultsReader(file_).trials().at(0).trial.label, "old");
}

TEST_F(Schema, TheReaderUnderstandsAnOlderFileWithoutChangingIt) {
  make_version_1();
  const ResultsReader reader(file_);
  EXPECT_EQ(reader.schema_version(), 1);
  EXPECT_EQ(reader.trials().at(0).trial.state, TrialState::kFailed);
  EXPECT_EQ(version(), 1);
}

TEST_F(Schema, AnOlderFileIsCheckedAndMerged) {
  make_version_1();
  const auto findings = check_database(file_, {});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_THAT(findings[0], HasSubstr("schema version 1"));
  const std::filesystem::path both = folder_ / "both.db";
  EXPECT_EQ(merge_database(file_, both).new_trials, 1);
  EXPECT_EQ(ResultsReader(both).trials().at(0).trial.label, "old");
  EXPECT_EQ(version(), 1);
}

TEST_F(Schema, ANewerFileIsRefusedWithBothVersions) {
  { const ResultsWriter writer(file_); }
  open().exec("PRAGMA user_version = 99");
  const auto names_both = AllOf(HasSubstr("results.db"), HasSubstr("schema version 99"),
                                HasSubstr(fmt::format("up to {}", kSchemaVersion)));
  EXPECT_THAT(message_of([&] { const ResultsWriter writer(file_); }), names_both);
  EXPECT_THAT(message_of([&] { const ResultsReader reader(file_); }), names_both);
  EXPECT_EQ(version(), 99);
}

TEST_F(Schema, AnotherProgramsDatabaseIsLeftAlone) {
  open().exec("CREATE TABLE recipes(name TEXT)");
  EXPECT_THAT(message_of([&] { const ResultsWriter writer(file_); }), HasSubstr("not made by ditscale"));
  SQLite::Database database = open();
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM sqlite_master").getInt(), 1);
}

TEST_F(Schema, AnEmptyFileIsNoResultForAReader) {
  open().exec("PRAGMA user_version = 0");
  EXPECT_THAT(message_of([&] { const ResultsReader reader(file_); }), HasSubstr("run a sweep first"));
}

TEST(Filesystem, KnowsWhichAreSharedBetweenMachines) {
  EXPECT_TRUE(is_network_filesystem(0x6969));       // NFS
  EXPECT_TRUE(is_network_filesystem(0x0BD00BD0));   // Lustre
  EXPECT_FALSE(is_network_filesystem(0xEF53));      // ext4
  EXPECT_FALSE(is_network_filesystem(0x01021994));  // tmpfs
  EXPECT_FALSE(is_network_filesystem(0x58465342));  // XFS
}

TEST_F(Schema, SettingsThatAreNoObjectAreNamed) {
  for (const char* document : {"7", "{"}) {
    std::filesystem::remove(file_);
    { const ResultsWriter writer(file_); }
    SQLite::Database database = open();
    database.exec(fmt::format("INSERT INTO settings(id, document) VALUES('f00d', '{}')", document));
    EXPECT_THROW((void)ResultsReader(file_).settings(), common::CorruptData) << document;
  }
}

}  // namespace
}  // namespace ditscale::results
