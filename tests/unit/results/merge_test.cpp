#include "results/maintenance/merge.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "common/trial_paths.hpp"
#include "results/maintenance/check.hpp"
#include "results/reader.hpp"
#include "results/writer.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/without_root.hpp"

namespace ditscale::results {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class Merge : public ::testing::Test {
 protected:
  static void put(const std::filesystem::path& file, std::int64_t width, double fid) {
    ResultsWriter writer(file);
    writer.put_sweep("made_up", "", {{"name", "made_up"}});
    test::put_finished_trial(writer, test::small_spec(width), 0, fid);
  }
  std::vector<double> scores() const {
    std::vector<double> values;
    for (const EvaluationRow& row : ResultsReader(into_).evaluations("fid")) {
      if (row.step == 300) values.push_back(*row.value);
    }
    return values;
  }

  test::TemporaryFolder folder_;
  std::filesystem::path here_ = folder_ / "here.db";
  std::filesystem::path there_ = folder_ / "it's there.db";
  std::filesystem::path into_ = folder_ / "both.db";
};

TEST_F(Merge, TakesTheTrialsOfBoth) {
  put(here_, 64, 300);
  put(there_, 128, 150);
  (void)merge_database(here_, into_);
  const Merged merged = merge_database(there_, into_);
  EXPECT_EQ(merged.new_trials, 1);
  EXPECT_EQ(merged.shared_trials, 0);
  EXPECT_THAT(scores(), ::testing::UnorderedElementsAre(300, 150));
  EXPECT_TRUE(check_database(into_, {}).empty());
}

TEST_F(Merge, AgainAddsNothing) {
  put(here_, 64, 300);
  (void)merge_database(here_, into_);
  const Merged again = merge_database(here_, into_);
  EXPECT_EQ(again.new_trials, 0);
  EXPECT_EQ(again.shared_trials, 1);
  EXPECT_EQ(again.new_attempts, 0);
}

/// Writes all of the events that are not there yet.
void ingest_all(const std::filesystem::path& file, const test::MadeUpAttempt& attempt) {
  (void)ResultsWriter(file).ingest(attempt.events());
}

/// Of each table how many rows there are.
std::string sizes(const std::filesystem::path& file) {
  std::string text;
  for (const char* table : {"trials", "attempts", "events", "metrics", "evaluations", "checkpoints", "samples"}) {
    ResultsReader(file).query(
        fmt::format("SELECT count(*) FROM {}", table), [](const auto&) {},
        [&](const auto& row) { text += fmt::format("{} {}, ", std::get<std::int64_t>(row.at(0)), table); });
  }
  return text;
}

TEST_F(Merge, AgainAfterTheStudyWentOnTakesTheRest) {
  const sweeps::TrialSpec spec = test::small_spec(64);
  test::MadeUpAttempt attempt(spec, 1);
  {
    ResultsWriter writer(here_);
    const std::vector<TrialRecord> records{test::record_of(spec)};
    writer.put_trials(records);
    writer.join_node({900, 1, "here", 1, 0, std::nullopt});
    writer.start_attempt(attempt.record());
    writer.set_trial_state(spec.id(), TrialState::kRunning, "", 1000);
  }
  attempt.started(0).metric(100, 0.5).evaluation(100, 400.0).checkpoint(100).samples(100);
  attempt.metric(150, 0.45).metric(150, 0.44);
  ingest_all(here_, attempt);
  EXPECT_EQ(merge_database(here_, into_).new_attempts, 1);

  attempt.metric(200, 0.4).checkpoint(200).samples(200).metric(300, 0.25).evaluation(300, 280.0).outcome(300, "ok");
  ingest_all(here_, attempt);
  {
    ResultsWriter writer(here_);
    writer.end_attempt(spec.id(), common::AttemptNumber{1}, TrialState::kSucceeded, "", 1030);
    writer.set_trial_state(spec.id(), TrialState::kSucceeded, "", 1030);
    writer.leave_node(1, 1040);
  }
  const Merged merged = merge_database(here_, into_);
  EXPECT_EQ(merged.new_attempts, 0);
  EXPECT_EQ(merged.continued_attempts, 1);
  EXPECT_EQ(check_database(into_, {}), std::vector<std::string>{});
  EXPECT_EQ(sizes(into_), sizes(here_));
  EXPECT_EQ(scores(), std::vector<double>{280});
  EXPECT_EQ(ResultsReader(into_).trials().at(0).last_loss, 0.25);
  EXPECT_EQ(ResultsReader(into_).attempts().at(0).ended_s, 1030);
  EXPECT_EQ(ResultsReader(into_).nodes().at(0).left_s, 1040);

  const Merged third = merge_database(here_, into_);
  EXPECT_EQ(third.new_attempts + third.continued_attempts, 0);
  EXPECT_EQ(sizes(into_), sizes(here_));
}

TEST_F(Merge, AnOlderCopyTakesNothingBack) {
  const sweeps::TrialSpec spec = test::small_spec(64);
  put(here_, 64, 300);
  (void)merge_database(here_, into_);
  const std::string before = sizes(into_);
  test::MadeUpAttempt attempt(spec, 1);
  {
    ResultsWriter writer(there_);
    const std::vector<TrialRecord> records{test::record_of(spec)};
    writer.put_trials(records);
    writer.start_attempt(attempt.record());
  }
  attempt.started(0).metric(10, 0.5);
  ingest_all(there_, attempt);
  EXPECT_EQ(merge_database(there_, into_).continued_attempts, 0);
  EXPECT_EQ(sizes(into_), before);
  EXPECT_EQ(ResultsReader(into_).attempts().at(0).ended_s, 1030);
}

/// The target has an attempt 1 of its own, so that the source's 1 is its 2.
TEST_F(Merge, AnAttemptThatWentOnKeepsItsNumber) {
  const sweeps::TrialSpec spec = test::small_spec(64);
  put(here_, 64, 300);
  test::MadeUpAttempt attempt(spec, 1);
  {
    ResultsWriter writer(there_);
    const std::vector<TrialRecord> records{test::record_of(spec)};
    writer.put_trials(records);
    writer.start_attempt(attempt.record(/*started_s=*/5000));
  }
  attempt.started(0).metric(100, 0.5);
  ingest_all(there_, attempt);
  (void)merge_database(here_, into_);
  (void)merge_database(there_, into_);
  attempt.metric(300, 0.125);
  ingest_all(there_, attempt);
  ResultsWriter(there_).end_attempt(spec.id(), common::AttemptNumber{1}, TrialState::kSucceeded, "", 5030);
  EXPECT_EQ(merge_database(there_, into_).continued_attempts, 1);
  const auto attempts = ResultsReader(into_).attempts();
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[1].number, common::AttemptNumber{2});
  EXPECT_EQ(attempts[1].last_event, 3);
  EXPECT_EQ(ResultsReader(into_).trials().at(0).last_loss, 0.125);
  EXPECT_EQ(check_database(into_, {}), std::vector<std::string>{});
}

TEST_F(Merge, AnotherAttemptOfTheSameNumberGetsTheNextOne) {
  put(here_, 64, 300);
  {
    ResultsWriter writer(there_);
    const std::vector<TrialRecord> records{test::record_of(test::small_spec(64))};
    writer.put_trials(records);
    test::MadeUpAttempt attempt(test::small_spec(64), 1);
    writer.start_attempt(attempt.record(/*started_s=*/5000));
    attempt.started(0).metric(300, 0.125, 700).evaluation(300, 280.0);
    writer.ingest(attempt.events());
  }
  (void)merge_database(here_, into_);
  EXPECT_EQ(merge_database(there_, into_).new_attempts, 1);
  EXPECT_EQ(ResultsReader(into_).attempts().size(), 2U);
  EXPECT_EQ(scores(), std::vector<double>{280});
  const TrialRow trial = ResultsReader(into_).trials().at(0);
  EXPECT_EQ(trial.trial.state, TrialState::kSucceeded);
  EXPECT_EQ(trial.last_loss, 0.125);
}

/// It scores otherwise than the later attempt that succeeded, and has the same number.
TEST_F(Merge, AnOldAttemptShadowsNoNewerOneWhicheverFileComesFirst) {
  const sweeps::TrialSpec spec = test::small_spec(64);
  put(here_, 64, 300);  // started at 1000
  {
    ResultsWriter writer(there_);
    writer.put_trials(std::vector{test::record_of(spec)});
    test::MadeUpAttempt attempt(spec, 1);
    writer.start_attempt(attempt.record(/*started_s=*/500));
    attempt.started(0).metric(300, 0.125).evaluation(300, 999.0);
    writer.ingest(attempt.events());
    writer.end_attempt(spec.id(), common::AttemptNumber{1}, TrialState::kFailed, "made up", 600);
    writer.set_trial_state(spec.id(), TrialState::kFailed, "made up", 600);
  }
  const auto merged = [&](const std::filesystem::path& first, const std::filesystem::path& second) {
    std::filesystem::remove(into_);
    (void)merge_database(first, into_);
    EXPECT_EQ(merge_database(second, into_).new_attempts, 1);
    EXPECT_EQ(merge_database(first, into_).new_attempts, 0);
    EXPECT_EQ(check_database(into_, {}), std::vector<std::string>{});
    EXPECT_EQ(ResultsReader(into_).trials().at(0).trial.state, TrialState::kSucceeded);
    EXPECT_NE(ResultsReader(into_).trials().at(0).last_loss, 0.125);
    EXPECT_EQ(ResultsReader(into_).attempts().at(0).state, TrialState::kFailed);
    return scores();
  };
  EXPECT_EQ(merged(here_, there_), std::vector<double>{300});
  EXPECT_EQ(merged(there_, here_), std::vector<double>{300});

  std::filesystem::remove(into_);
  (void)merge_database(here_, into_);
  std::filesystem::create_directory(folder_ / "trials");
  EXPECT_THAT([&] { (void)merge_database(there_, into_); },
              ::testing::ThrowsMessage<common::ConfigError>(HasSubstr("folders beside it go by these numbers")));
  EXPECT_EQ(ResultsReader(into_).attempts().size(), 1U);
}

TEST_F(Merge, ADecisionOfAnOlderCopyStopsNoTrialThatWentOn) {
  const sweeps::TrialSpec spec = test::small_spec(64);
  const auto put_state = [&](const std::filesystem::path& file, TrialState state, double since_s) {
    ResultsWriter writer(file);
    writer.put_trials(std::vector{test::record_of(spec)});
    writer.set_trial_state(spec.id(), state, "", since_s);
  };
  put_state(into_, TrialState::kPreempted, 2000);
  put_state(here_, TrialState::kCancelled, 1000);
  ResultsWriter(here_).put_decision({spec.id(), 100, "loss", 0.5, 2, 2, 1, false, 1000});
  (void)merge_database(here_, into_);
  EXPECT_TRUE(ResultsReader(into_).decisions().empty());
  // And the better state comes without the decisions of the worse one.
  put_state(there_, TrialState::kSucceeded, 3000);
  ResultsWriter(into_).put_decision({spec.id(), 200, "loss", 0.5, 2, 2, 1, false, 2000});
  (void)merge_database(there_, into_);
  EXPECT_TRUE(ResultsReader(into_).decisions().empty());
}

TEST_F(Merge, ADecisionGoesWithTheStateItLedTo) {
  const sweeps::TrialSpec spec = test::small_spec(64);
  const std::vector<TrialRecord> records{test::record_of(spec)};
  const auto kept = [&] { return ResultsReader(into_).decisions().at(0).kept; };
  {
    ResultsWriter writer(here_);
    writer.put_trials(records);
    writer.put_decision({spec.id(), 100, "loss", 0.5, 2, 2, 1, false, 1000});
    writer.set_trial_state(spec.id(), TrialState::kCancelled, "stopped early", 1000);
  }
  std::filesystem::copy_file(here_, there_);
  (void)merge_database(here_, into_);
  EXPECT_FALSE(kept());
  {
    ResultsWriter writer(here_);
    writer.overrule_decisions(spec.id());
    writer.set_trial_state(spec.id(), TrialState::kSucceeded, "", 2000);
  }
  (void)merge_database(here_, into_);
  EXPECT_TRUE(kept());
  (void)merge_database(there_, into_);
  EXPECT_TRUE(kept()) << "an older copy takes nothing back";
}

TEST_F(Merge, TakesWhatLiesInAFolderThatCannotBeWritten) {
  const std::filesystem::path archive = folder_ / "archive";
  std::filesystem::create_directories(archive);
  put(archive / "results.db", 64, 300);
  ASSERT_FALSE(std::filesystem::exists(archive / "results.db-wal"));
  std::filesystem::permissions(archive / "results.db", static_cast<std::filesystem::perms>(0444));
  std::filesystem::permissions(archive, static_cast<std::filesystem::perms>(0555));
  EXPECT_EXIT(
      test::without_root(folder_.path(), [&] { return merge_database(archive / "results.db", into_).new_trials == 1; }),
      ::testing::ExitedWithCode(0), "");
  std::filesystem::permissions(archive, std::filesystem::perms::owner_all);
  EXPECT_EQ(scores(), std::vector<double>{300});
}

TEST_F(Merge, AFileIntoItselfIsRefused) {
  put(here_, 64, 300);
  EXPECT_THROW((void)merge_database(here_, here_), common::UsageError);
}

TEST_F(Merge, IntoAStudyThatRunsIsRefused) {
  put(here_, 64, 300);
  const common::StudyPaths study{folder_ / "study"};
  std::filesystem::create_directories(study.folder);
  put(study.database(), 128, 150);
  {
    const auto held = common::FileLock::try_acquire(study.lock());
    EXPECT_THROW((void)merge_database(here_, study.database()), common::ConfigError);
    EXPECT_EQ(ResultsReader(study.database()).trials().size(), 1U);
  }
  EXPECT_EQ(merge_database(here_, study.database()).new_trials, 1);
}

TEST_F(Merge, ADamagedSourceIsTheOneThatIsNamed) {
  put(here_, 64, 300);
  put(there_, 128, 150);
  (void)merge_database(here_, into_);
  std::int64_t page = 0;
  ResultsReader(there_).query(
      "SELECT rootpage FROM sqlite_master WHERE name = 'metrics'", [](const auto&) {},
      [&](const auto& row) { page = std::get<std::int64_t>(row.at(0)); });
  std::fstream(there_, std::ios::in | std::ios::out | std::ios::binary)
      .seekp((page - 1) * 4096)
      .write(std::string(4096, '\xA5').data(), 4096);
  try {
    (void)merge_database(there_, into_);
    FAIL() << "took what is damaged";
  } catch (const common::SystemError& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith(there_.string()));
    EXPECT_THAT(error.what(), HasSubstr("damaged"));
  }
  EXPECT_EQ(scores(), std::vector<double>{300});
}

TEST_F(Merge, ACheckNamesGapsAndScoresThatAreMissing) {
  {
    ResultsWriter writer(here_);
    const std::vector<TrialRecord> records{test::record_of(test::small_spec(64))};
    writer.put_trials(records);
    test::MadeUpAttempt attempt(test::small_spec(64), 1);
    writer.start_attempt(attempt.record());
    attempt.started(0).metric(100, 0.5).metric(200, 0.4);
    std::vector<AttemptEvent> events = attempt.events();
    events.erase(events.begin() + 1);
    writer.ingest(events);
    writer.set_trial_state(test::small_spec(64).id(), TrialState::kSucceeded, "", 1);
  }
  const auto findings = check_database(here_, {});
  EXPECT_THAT(findings, Contains(HasSubstr("events in the middle are missing")));
  EXPECT_THAT(findings, Contains(HasSubstr("no score at its last step")));
  EXPECT_THAT(findings, Contains(HasSubstr("attempt 1 has no end")));
}

}  // namespace
}  // namespace ditscale::results
