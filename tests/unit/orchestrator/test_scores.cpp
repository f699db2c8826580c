#include "orchestrator/coordinator/rehearsal.hpp"
#include "orchestrator/coordinator/score_entry.hpp"
#include "orchestrator/plan/forecast.hpp"
#include "orchestrator/view/overview.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using common::Json;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

sweeps::EvaluateSpec entry_of(std::int64_t every_steps, bool apart = false) {
  sweeps::EvaluateSpec entry;
  entry.every_steps = every_steps;
  entry.num_samples = 1'000'000;
  entry.apart = apart;
  return entry;
}

sweeps::Cell scored_cell(std::vector<sweeps::EvaluateSpec> entries) {
  sweeps::Cell cell = make_cell(0);
  cell.trial.evaluate = std::move(entries);
  cell.id = cell.trial.id();
  return cell;
}

class Scores : public ClusterFixture {
 protected:
  Actions score(std::size_t entry, std::int64_t step, Json values = {{"fid", 1.0}}) {
    const Json settings = settings_of(trial().cell.trial.evaluate[entry]);
    return speak(0, "evaluation", {{"step", step}, {"settings", settings}, {"values", std::move(values)}});
  }
  [[nodiscard]] const Trial& trial() const { return state.trials[0]; }
  [[nodiscard]] double training_s() const { return trial().time.training_s; }
  [[nodiscard]] double score_s(std::size_t entry = 0) const { return trial().time.score_s[entry]; }
};

TEST_F(Scores, AreLeftUntilTheyWereHeardOf) {
  sweeps::EvaluateSpec apart = entry_of(500, /*apart=*/true);
  apart.guidance = 1.5;
  sweep_of({scored_cell({entry_of(400), apart})});
  ASSERT_GT(score_s(), 100 * training_s());
  EXPECT_DOUBLE_EQ(trial().predicted_s, sweeps::kStartUp_s + training_s() + 3 * score_s(0) + 2 * score_s(1));
  EXPECT_DOUBLE_EQ(trial().remaining_s(), trial().predicted_s);
  join_one(1);
  checkpoint(0, 400);
  EXPECT_DOUBLE_EQ(trial().work_left_s(400), 0.6 * training_s() + 3 * score_s(0) + 2 * score_s(1));
  score(0, 400);
  score(0, 400);  // made again
  EXPECT_DOUBLE_EQ(trial().work_left_s(400), 0.6 * training_s() + 2 * score_s(0) + 2 * score_s(1));
  checkpoint(0, 1000);
  score(0, 1000);
  EXPECT_DOUBLE_EQ(trial().work_left_s(1000), 2 * score_s(1));
  score(1, 500);
  EXPECT_DOUBLE_EQ(trial().remaining_s(), sweeps::kStartUp_s + score_s(1));
}

TEST_F(Scores, OfATrainedTrialArePredictedForItsNextAttempt) {
  sweep_of({scored_cell({entry_of(1000, /*apart=*/true)})});
  join_one(1);
  checkpoint(0, 1000);
  end_with(0, "preempted", "trained; scores of 1 steps are made apart");
  ASSERT_EQ(all_of<PutAttempt>(actions).size(), 1U);
  EXPECT_DOUBLE_EQ(all_of<PutAttempt>(actions)[0].record.predicted_s, sweeps::kStartUp_s + score_s());
}

TEST_F(Scores, AfterTheTrainingAreWorkThatIsLeft) {
  sweep_of({scored_cell({entry_of(1000)})});
  join_one(1);
  speak(0, "metric", {{"step", 1000}});
  checkpoint(0, 1000);
  EXPECT_DOUBLE_EQ(expected_end_s(state, 0, now_s), now_s + score_s());
  EXPECT_LT(overview_of(state).done_share, 0.5);
  score(0, 1000);
  EXPECT_DOUBLE_EQ(overview_of(state).done_share, 1.0);
}

TEST_F(Scores, KeepNoTrialFromItsNextCheckpoint) {
  sweep_of({scored_cell({entry_of(1000)})}, 60.0);
  ASSERT_GT(score_s(), 60);
  join_one(1);
  EXPECT_THAT(started(), ElementsAre(0)) << "its training takes less than a second";
  EXPECT_DOUBLE_EQ(trial().next_checkpoint_s(), 0.1 * training_s());
}

TEST_F(Scores, AreShownOfTheFirstEntryThatHasAnFid) {
  sweeps::EvaluateSpec pictures = entry_of(1000);
  pictures.features = "none";
  pictures.metrics = {};
  sweeps::EvaluateSpec guided = entry_of(1000);
  guided.guidance = 1.5;
  sweep_of({scored_cell({pictures, entry_of(1000), guided})});
  join_one(1);
  score(0, 1000, Json::object());
  score(1, 1000, {{"fid", 20.0}});
  score(2, 1000, {{"fid", 5.0}});
  EXPECT_EQ(trial().progress.fid, 20.0);
  score(1, 1000, {{"kid", 1.0}});
  EXPECT_EQ(trial().progress.fid, 20.0) << "it says nothing of an FID";
}

TEST(ScoreEntry, IsToldByLabelsAndDecoderToo) {
  const sweeps::EvaluateSpec entry = entry_of(1000);
  const Json settings = settings_of(entry);
  EXPECT_TRUE(is_score_of(settings, sweeps::to_json(entry)));
  for (const auto& [key, value] : {std::pair("labels", "balanced"), {"decoder", "digest"}, {"weights", "other"}}) {
    Json other = settings;
    other[key] = value;
    EXPECT_FALSE(is_score_of(other, sweeps::to_json(entry))) << key;
  }
}

TEST(ScoreEntry, ShowsNothingThatMayBeAnotherEntrys) {
  sweeps::EvaluateSpec other = entry_of(1000);
  other.reference = "other.h5";
  const Json first = sweeps::to_json(entry_of(1000));
  EXPECT_FALSE(is_shown_fid(settings_of(other), {first, sweeps::to_json(other)}));
  EXPECT_TRUE(is_shown_fid(settings_of(other), Json::array({first}))) << "the only one";
  other.labels = sweeps::SampleLabels::kBalanced;
  EXPECT_TRUE(is_shown_fid(settings_of(entry_of(1000)), {first, sweeps::to_json(other)}));
  EXPECT_FALSE(is_shown_fid(settings_of(other), {first, sweeps::to_json(other)}));
}

Forecast forecast_of(const sweeps::Cell& cell, const FailureQuestion& failures) {
  return forecast({{cell, sweeps::predicted_s(cell.trial)}}, {{1, "a", make_devices(1)}}, {}, failures);
}

TEST(Forecast, MakesScoresApartInAnAttemptOfTheirOwn) {
  const sweeps::Cell cell = scored_cell({entry_of(400), entry_of(500, /*apart=*/true)});
  const Forecast made = forecast_of(cell, {});
  ASSERT_EQ(made.spans.size(), 2U);
  EXPECT_NEAR(made.makespan_s, sweeps::predicted_s(cell.trial) + sweeps::kStartUp_s, 1e-6 * made.makespan_s);
  const sweeps::TrialTime time = sweeps::time_of(cell.trial, {}, {});
  EXPECT_NEAR(made.spans[1].end_s - made.spans[1].start_s, sweeps::kStartUp_s + 2 * time.score_s[1], 1e-3);
}

TEST(Forecast, OfATrialThatNeverReachesACheckpointHasNoEnd) {
  const Forecast made = forecast_of(make_cell(0, 10'000'000, {1, 0}, 10'000'000), {5, 60});
  EXPECT_THAT(made.with_failures_s, Each(std::numeric_limits<double>::infinity()));
  EXPECT_THAT(failures_text(made), HasSubstr("no end in the middle of 5 simulated runs, no end in nine of ten"));
  EXPECT_THAT(failures_text(made), HasSubstr("does not finish in 5 of 5 runs"));
  EXPECT_EQ(failures_json(made), Json({nullptr, nullptr, nullptr, nullptr, nullptr}));
}

TEST(Forecast, SaysSoWhereFailuresAreTooManyToBeSimulated) {
  const Forecast made = forecast_of(make_cell(0, 1'000'000'000'000, {1, 0}, 10), {5, 3600});
  EXPECT_TRUE(made.failures_cut_short);
  EXPECT_THAT(failures_text(made), HasSubstr("not known, as more than 300000 events"));
  EXPECT_TRUE(failures_json(made).is_null());
}

}  // namespace
}  // namespace ditscale::orchestrator
