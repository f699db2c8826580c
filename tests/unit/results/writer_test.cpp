#include "results/writer.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <span>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "common/error.hpp"
#include "results/maintenance/check.hpp"
#include "results/reader.hpp"
#include "sweeps/spec/cost.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::results {
namespace {

using common::AttemptNumber;
using test::MadeUpAttempt;

class Writer : public ::testing::Test {
 protected:
  void put_trial(ResultsWriter& writer, const sweeps::TrialSpec& spec) {
    const std::vector<TrialRecord> records{test::record_of(spec)};
    writer.put_trials(records);
  }
  void start(ResultsWriter& writer, const MadeUpAttempt& attempt) { writer.start_attempt(attempt.record()); }

  /// The whole content as text: what "same database" means here.
  std::string dump() {
    const ResultsReader reader(file_);
    std::string text;
    for (const char* table :
         {"trials", "attempts", "events", "metrics", "settings", "evaluations", "checkpoints", "samples"}) {
      reader.query(
          std::string("SELECT * FROM ") + table, [&](const auto&) { text += std::string(table) + "\n"; },
          [&](const auto& row) {
            for (const SqlValue& value : row) {
              if (const auto* s = std::get_if<std::string>(&value)) text += *s + "|";
              if (const auto* d = std::get_if<double>(&value)) text += fmt::format("{}|", *d);
              if (const auto* i = std::get_if<std::int64_t>(&value)) text += fmt::format("{}|", *i);
            }
            text += "\n";
          });
    }
    return text;
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "results.db";
  sweeps::TrialSpec spec_ = test::small_spec();
};

TEST_F(Writer, KeepsTheDecisionOfTheNewestMetric) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  DecisionRecord decision;
  decision.trial = spec_.id();
  decision.step = 100;
  decision.metric = "loss";
  writer.put_decision(decision);
  decision.metric = "fid";
  decision.value = 20.5;
  writer.put_decision(decision);
  ASSERT_EQ(writer.decisions().size(), 1U);
  EXPECT_EQ(writer.decisions()[0].metric, "fid");
  EXPECT_EQ(writer.decisions()[0].value, 20.5);
}

TEST_F(Writer, TakesTheSameEventsOnlyOnce) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  attempt.started(0).metric(50, 0.9).checkpoint(50).samples(50).evaluation(50, 300.0).outcome(50, "preempted");
  EXPECT_EQ(writer.ingest(attempt.events()), 6);
  const std::string once = dump();
  EXPECT_EQ(writer.ingest(attempt.events()), 0);
  EXPECT_EQ(dump(), once);
  EXPECT_EQ(writer.attempts().at(0).last_event, 6);
}

TEST_F(Writer, KeepsAnEventOfAnUnknownKindAsItIs) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  attempt.add("weather", std::nullopt, {{"sky", "blue"}});
  EXPECT_EQ(writer.ingest(attempt.events()), 1);
  EXPECT_NE(dump().find(R"({"sky":"blue"})"), std::string::npos);
}

TEST_F(Writer, KeepsAnEventWhoseBodyLacksItsStepWithoutTabulatingIt) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  attempt.add("metric", std::nullopt, {{"loss", 1.0}}).metric(50, 0.5);
  EXPECT_EQ(writer.ingest(attempt.events()), 2);
  EXPECT_EQ(test::all_metrics(file_).size(), 1U);
}

TEST_F(Writer, RefusesEventsOfAnAttemptThatNobodyStarted) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 3);
  attempt.metric(50, 0.5);
  EXPECT_THROW(writer.ingest(attempt.events()), common::InternalError);
  EXPECT_TRUE(test::all_metrics(file_).empty());
}

TEST_F(Writer, TheNewestAttemptWinsAtEachStep) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt first(spec_, 1);
  start(writer, first);
  first.started(0).metric(50, 0.9).metric(100, 0.8).metric(150, 0.75).evaluation(100, 250.0).evaluation(150, 240.0);
  MadeUpAttempt second(spec_, 2);
  start(writer, second);
  second.started(100).metric(150, 0.7).metric(200, 0.6).evaluation(150, 230.0);
  writer.ingest(second.events());
  writer.ingest(first.events());  // late: still only the newest counts

  const ResultsReader reader(file_);
  std::vector<double> losses;
  for (const MetricRow& row : test::all_metrics(file_)) losses.push_back(*row.loss);
  EXPECT_EQ(losses, (std::vector<double>{0.9, 0.8, 0.7, 0.6}));
  losses.clear();
  for (const LossRow& row : reader.losses(spec_.id(), LossKind::kTotal, 50)) losses.push_back(row.loss);
  EXPECT_EQ(losses, (std::vector<double>{0.8, 0.7, 0.6}));
  std::vector<double> scores;
  for (const EvaluationRow& row : reader.evaluations("fid")) scores.push_back(*row.value);
  EXPECT_EQ(scores, (std::vector<double>{250.0, 230.0}));
  EXPECT_EQ(reader.trials().at(0).steps_done, 200);
  EXPECT_EQ(reader.trials().at(0).last_loss, 0.6);
  EXPECT_EQ(reader.trials().at(0).num_attempts, 2);
}

TEST_F(Writer, KeepsWhyAScoreIsMissing) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  attempt.evaluation(100, nullptr);
  writer.ingest(attempt.events());
  const auto rows = ResultsReader(file_).evaluations();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_FALSE(rows[0].value.has_value());
  EXPECT_EQ(rows[0].reason, "the covariance is not finite");
}

TEST_F(Writer, KeepsEachScoresErrorAndReason) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  common::Json body = attempt.evaluation(100, 250.0).events().back().event.body;
  body["values"] = {{"fid", 250.0}, {"kid", 0.5}, {"fid_infinity", nullptr}};
  body["standard_errors"] = {{"fid", 3.0}, {"kid", nullptr}};
  body["reasons"] = {{"fid_infinity", "the covariance is singular"}};
  attempt.add("evaluation", 100, body);
  writer.ingest(attempt.events());
  std::string seen;
  ResultsReader(file_).query(
      "SELECT metric || ' ' || ifnull(value, '-') || ' ' || ifnull(standard_error, '-') || ' ' || reason FROM "
      "v_evaluations ORDER BY metric",
      [](const auto&) {}, [&](const std::vector<SqlValue>& row) { seen += std::get<std::string>(row[0]) + "\n"; });
  EXPECT_EQ(seen, "fid 250.0 3.0 \nfid_infinity - - the covariance is singular\nkid 0.5 - \n");
}

TEST_F(Writer, KnownTrialsKeepStateAndResultsWhenTheSweepIsPutAgain) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  writer.set_trial_state(spec_.id(), TrialState::kFailed, "out of memory", 5);
  std::vector<TrialRecord> again{test::record_of(spec_, 7)};
  again[0].label = "renamed";
  writer.put_trials(again);
  const auto rows = ResultsReader(file_).trials();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].trial.state, TrialState::kFailed);
  EXPECT_EQ(rows[0].trial.reason, "out of memory");
  EXPECT_EQ(rows[0].trial.label, "renamed");
  EXPECT_EQ(rows[0].trial.position, 7);
}

TEST_F(Writer, GivesBackTrialsAndAttemptsAsTheyWerePut) {
  ResultsWriter writer(file_);
  writer.put_sweep("demo", "first", {{"name", "demo"}});
  writer.put_sweep("demo", "second", {{"name", "demo"}});
  put_trial(writer, spec_);
  const MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  writer.end_attempt(spec_.id(), AttemptNumber{1}, TrialState::kLost, "node went away", 1234.5);

  const TrialRecord expected = test::record_of(spec_);
  const TrialRecord got = ResultsReader(file_).trials().at(0).trial;
  EXPECT_EQ(got.id, expected.id);
  EXPECT_EQ(got.spec, expected.spec);
  EXPECT_EQ(got.axes, expected.axes);
  EXPECT_EQ(got.forward_macs, expected.forward_macs);
  EXPECT_EQ(got.training_flops, expected.training_flops);
  const AttemptRecord ended = writer.attempts().at(0);
  EXPECT_EQ(ended.state, TrialState::kLost);
  EXPECT_EQ(ended.reason, "node went away");
  EXPECT_EQ(ended.ended_s, 1234.5);
  EXPECT_EQ(ended.devices, "cpu 0");
  EXPECT_EQ(ResultsReader(file_).sweeps().at(0).description, "second");
}

TEST_F(Writer, LeavingABatchWithoutCommitUndoesIt) {
  ResultsWriter writer(file_);
  {
    const ResultsWriter::Batch batch(writer);
    put_trial(writer, spec_);
    EXPECT_EQ(writer.standings().size(), 1U);
  }
  EXPECT_TRUE(writer.standings().empty());
  ResultsWriter::Batch batch(writer);
  put_trial(writer, spec_);
  batch.commit();
  EXPECT_EQ(writer.standings().size(), 1U);
}

TEST_F(Writer, ACallThatFailsInABatchIsUndoneWholeAndTheRestStays) {
  ResultsWriter writer(file_);
  ResultsWriter::Batch batch(writer);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  attempt.metric(50, 0.5);
  std::vector<AttemptEvent> events = attempt.events();
  events.push_back(events[0]);
  events[1].attempt = AttemptNumber{9};
  EXPECT_THROW(writer.ingest(events), common::InternalError);
  batch.commit();
  EXPECT_TRUE(test::all_metrics(file_).empty());
  EXPECT_EQ(writer.standings().size(), 1U);
}

/// SQLite counts how long it slept for a lock and asks no clock: here that takes no time.
class WithoutSleep {
 public:
  WithoutSleep() {
    vfs_->xSleep = [](sqlite3_vfs*, int microseconds) { return microseconds; };
  }
  ~WithoutSleep() { vfs_->xSleep = sleep_; }
  WithoutSleep(const WithoutSleep&) = delete;
  WithoutSleep& operator=(const WithoutSleep&) = delete;

 private:
  sqlite3_vfs* vfs_ = sqlite3_vfs_find(nullptr);
  int (*sleep_)(sqlite3_vfs*, int) = vfs_->xSleep;
};

TEST_F(Writer, GoesOnAfterABatchThatCouldNotBegin) {
  ResultsWriter writer(file_);
  ResultsWriter other(file_);
  {
    const WithoutSleep without_sleep;
    const ResultsWriter::Batch holds_the_lock(other);
    EXPECT_THROW(ResultsWriter::Batch{writer}, common::SystemError);
  }
  put_trial(writer, spec_);
  EXPECT_EQ(other.standings().size(), 1U);
}

TEST_F(Writer, GoesOnAfterABatchThatThrew) {
  ResultsWriter writer(file_);
  const auto fails = [&] {
    const ResultsWriter::Batch batch(writer);
    put_trial(writer, spec_);
    writer.set_trial_state(test::small_spec(128).id(), TrialState::kFailed, "", 1);
  };
  EXPECT_THROW(fails(), common::InternalError);
  EXPECT_TRUE(writer.standings().empty());
  ResultsWriter::Batch batch(writer);
  put_trial(writer, spec_);
  batch.commit();
  put_trial(writer, test::small_spec(128));
  EXPECT_EQ(ResultsReader(file_).trials().size(), 2U);
}

TEST_F(Writer, UnknownTrialsAndDoubleAttemptsAreDefects) {
  ResultsWriter writer(file_);
  EXPECT_THROW(writer.set_trial_state(spec_.id(), TrialState::kFailed, "", 1), common::InternalError);
  put_trial(writer, spec_);
  start(writer, MadeUpAttempt(spec_, 1));
  EXPECT_THROW(start(writer, MadeUpAttempt(spec_, 1)), common::InternalError);
}

TEST_F(Writer, MeasuresTheRateOfFinishedAttemptsPerKindOfSlot) {
  ResultsWriter writer(file_);
  EXPECT_FALSE(writer.measured_speed(1, 0, 1).has_value());
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  attempt.started(100).metric(200, 0.5).evaluation(200, 100.0, 2000, 5e9).outcome(200, "succeeded");
  writer.ingest(attempt.events());
  EXPECT_FALSE(writer.measured_speed(1, 0, 1).has_value());  // it still runs
  writer.end_attempt(spec_.id(), AttemptNumber{1}, TrialState::kSucceeded, "", 1520);
  writer.add_standstill(spec_.id(), AttemptNumber{1}, 500);

  const double images = 100 * 64;
  const double macs = 3.0 * static_cast<double>(sweeps::forward_macs(spec_.shape())) * images + 5e9;
  const auto speed = writer.measured_speed(1, 0, 1);
  ASSERT_TRUE(speed);
  EXPECT_EQ(speed->num_runs, 1U);
  const auto roofline = sweeps::roofline(spec_, {macs - 5e9, 5e9}, {1, 1, 0, {}});
  EXPECT_NEAR(sweeps::predicted_s(roofline, *speed), 20, 0.5) << "one run moves the roofline to where it was";
  EXPECT_FALSE(writer.measured_speed(2, 0, 1).has_value());
  EXPECT_FALSE(writer.measured_speed(1, 1, 1).has_value());
}

TEST(TrialStates, AreStoredByNamesThatReadBack) {
  for (int i = 0; i <= static_cast<int>(TrialState::kExcluded); ++i) {
    const auto state = static_cast<TrialState>(i);
    EXPECT_EQ(trial_state_from(to_name(state)), state);
  }
  EXPECT_FALSE(trial_state_from("zombie").has_value());
  EXPECT_TRUE(is_final(TrialState::kDiverged));
  EXPECT_FALSE(is_final(TrialState::kLost));
}

TEST_F(Writer, SummariesOfMetricsAreThoseOfTheRowsThatCount) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt first(spec_, 1);
  start(writer, first);
  first.started(0).metric(50, 0.9, 100).metric(100, 0.8, 300).metric(100, 0.85, 500);
  MadeUpAttempt second(spec_, 2);
  start(writer, second);
  second.started(50).metric(100, 0.7, 700).metric(150, nullptr, 900);
  writer.ingest(second.events());
  writer.ingest(first.events());
  const TrialRow row = ResultsReader(file_).trials().at(0);
  EXPECT_DOUBLE_EQ(row.images_per_s.value(), (100 + 700 + 900) / 3.0);
  EXPECT_FALSE(row.last_loss.has_value());  // the last one was not finite
  EXPECT_EQ(check_database(file_, {}), std::vector<std::string>{});
}

TEST_F(Writer, KnowsWhichNodesAreThere) {
  const auto nodes = [&] {
    std::vector<std::string> lines;
    for (const NodeRecord& node : ResultsReader(file_).nodes())
      lines.push_back(
          fmt::format("{} {} {}", node.host, node.cpus, node.left_s ? fmt::format("{}", *node.left_s) : "-"));
    return lines;
  };
  ResultsWriter writer(file_);
  writer.join_node({100, 1, "a", 8, 0, std::nullopt});
  writer.join_node({100, 2, "b", 4, 2, std::nullopt});
  writer.leave_node(2, 150);
  EXPECT_EQ(nodes(), (std::vector<std::string>{"a 8 -", "b 4 150"}));
  // The coordinator was killed: what it knew last was the start of an attempt at 1,000 s.
  put_trial(writer, spec_);
  start(writer, MadeUpAttempt(spec_, 1));
  writer.leave_stale_nodes();
  writer.join_node({2000, 1, "c", 1, 0, std::nullopt});
  EXPECT_EQ(nodes(), (std::vector<std::string>{"a 8 1000", "b 4 150", "c 1 -"}));
}

/// A metric that its row cannot hold whole (or that comes when the row of its step is held by another) is in `events`
/// too; no event is lost or counted twice.
TEST_F(Writer, KeepsEveryMetricWhole) {
  ResultsWriter writer(file_);
  put_trial(writer, spec_);
  MadeUpAttempt attempt(spec_, 1);
  start(writer, attempt);
  attempt.started(0).metric(50, 0.9).metric(50, 0.8).metric(100, 0.7);
  std::vector<AttemptEvent> events = attempt.events();
  events.push_back(events.back());
  ++events.back().event.number;
  events.back().event.body["step"] = 150;
  events.back().event.body["temperature"] = 3.5;
  events.push_back(events.back());
  ++events.back().event.number;
  events.back().event.body = {{"loss", 0.5}};  // no step
  EXPECT_EQ(writer.ingest(events), 6);
  EXPECT_EQ(writer.ingest(events), 0);
  std::vector<std::string> lines;
  ResultsReader(file_).query(
      "SELECT printf('%d %s', number, kind) AS line FROM events UNION ALL SELECT printf('%d row', event) FROM metrics "
      "WHERE event IS NOT NULL UNION ALL SELECT printf('loss %.1f', loss) FROM metrics ORDER BY line",
      [](const auto&) {}, [&](const auto& row) { lines.push_back(std::get<std::string>(row.at(0))); });
  EXPECT_EQ(lines, (std::vector<std::string>{"1 started", "2 row", "3 metric", "4 row", "5 metric", "6 metric",
                                             "loss 0.7", "loss 0.7", "loss 0.9"}));
  EXPECT_EQ(check_database(file_, {}), std::vector<std::string>{});
}

/// Three attempts of two trials go over the same steps, and their events come in any order, in batches of any size.
TEST_F(Writer, SummariesOfMetricsFitWhateverTheOrder) {
  const std::array<sweeps::TrialSpec, 2> specs{test::small_spec(64), test::small_spec(128)};
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::filesystem::remove(file_);
    ResultsWriter writer(file_);
    std::vector<AttemptEvent> events;
    for (const sweeps::TrialSpec& spec : specs) {
      put_trial(writer, spec);
      for (int number = 1; number <= 3; ++number) {
        MadeUpAttempt attempt(spec, number);
        start(writer, attempt);
        for (int i = 0; i < 8; ++i) attempt.metric(random() % 6, 0.1 * i, static_cast<double>(random() % 900));
        events.insert(events.end(), attempt.events().begin(), attempt.events().end());
      }
    }
    std::shuffle(events.begin(), events.end(), random);
    for (std::span<const AttemptEvent> rest(events); !rest.empty();) {
      const std::size_t batch = std::min<std::size_t>(rest.size(), 1 + random() % 9);
      writer.ingest(rest.first(batch));
      rest = rest.subspan(batch);
    }
    std::vector<std::string> wrong;
    ResultsReader(file_).query(
        "SELECT v.trial FROM v_metrics v JOIN v_trials t ON t.id = v.trial GROUP BY v.trial "
        "HAVING abs(avg(v.images_per_s) - t.images_per_s) > 1e-9 OR t.last_loss IS NOT "
        "(SELECT m.loss FROM v_metrics m WHERE m.trial = v.trial ORDER BY m.step DESC LIMIT 1)",
        [](const auto&) {}, [&](const auto& row) { wrong.push_back(std::get<std::string>(row.at(0))); });
    EXPECT_EQ(wrong, std::vector<std::string>{}) << seed;
    EXPECT_EQ(check_database(file_, {}), std::vector<std::string>{}) << seed;
  }
}

}  // namespace
}  // namespace ditscale::results
