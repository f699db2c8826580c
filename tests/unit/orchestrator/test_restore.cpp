#include "orchestrator/coordinator/restore.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using results::TrialState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Restore : public ::testing::Test {
 protected:
  /// An attempt of the one cell; a running one has no end.
  PastAttempt attempt(int number, TrialState attempt_state, std::vector<common::Event> events = {}) {
    results::AttemptRecord record;
    record.trial = cell.id;
    record.number = common::AttemptNumber{number};
    record.state = attempt_state;
    record.started_s = 100.0 * number;
    if (attempt_state != TrialState::kRunning) record.ended_s = record.started_s + 10;
    return {record, std::move(events)};
  }

  Trial& restored(TrialState trial_state, std::vector<PastAttempt> attempts) {
    state = make_state({cell}, policy, 5000, std::nullopt);
    actions = restore(state, {{cell.id, PastTrial{trial_state, "", std::move(attempts)}}}, 5000);
    return state.trials[0];
  }

  bool starts() {
    return !all_of<StartTrainer>(react(state, AgentsJoined{{{1, "host", make_devices(1)}}}, 5001)).empty();
  }

  sweeps::Cell cell = make_cell(0);
  Policy policy;
  State state;
  Actions actions;
};

TEST_F(Restore, StartsAnUnknownTrialAfresh) {
  state = make_state({cell}, policy, 5000, std::nullopt);
  EXPECT_THAT(restore(state, {}, 5000), IsEmpty());
  EXPECT_TRUE(starts());
}

TEST_F(Restore, DoesNotRunAFinishedTrialAgain) {
  policy.retries = 0;
  for (const TrialState final_state : {TrialState::kSucceeded, TrialState::kFailed, TrialState::kDiverged}) {
    EXPECT_EQ(restored(final_state, {attempt(1, final_state)}).state, final_state);
    EXPECT_THAT(actions, IsEmpty());
    EXPECT_TRUE(nothing_to_do(state));
    EXPECT_FALSE(starts());
  }
}

TEST_F(Restore, GivesATrialThatSomeoneAskedForOneMoreAttempt) {
  policy.retries = 1;
  const std::vector<PastAttempt> failed{attempt(1, TrialState::kFailed), attempt(2, TrialState::kFailed)};
  EXPECT_EQ(restored(TrialState::kPending, failed).failures, 1);
  EXPECT_TRUE(starts());
  EXPECT_EQ(restored(TrialState::kPending, {attempt(1, TrialState::kDiverged)}).state, TrialState::kPending);
  EXPECT_TRUE(starts());
  auto killed = failed;
  killed.push_back(attempt(3, TrialState::kRunning));
  EXPECT_EQ(restored(TrialState::kRunning, killed).state, TrialState::kLost) << "it was killed, it did not fail again";
}

TEST_F(Restore, TakesAFailedTrialUpAgainWhenItMayFailMoreOften) {
  policy.retries = 1;
  EXPECT_EQ(restored(TrialState::kFailed, {attempt(1, TrialState::kFailed)}).failures, 1);
  EXPECT_FALSE(nothing_to_do(state));
  EXPECT_TRUE(starts());
}

TEST_F(Restore, ClosesARunningAttemptAsLostAndRunsTheTrialAgain) {
  const auto saved = make_event(3, "checkpoint", {{"step", 100}});
  const Trial& trial = restored(TrialState::kRunning, {attempt(1, TrialState::kRunning, {saved})});
  EXPECT_EQ(trial.state, TrialState::kLost);
  EXPECT_THAT(all_of<Ingest>(actions), SizeIs(1));
  EXPECT_EQ(all_of<EndAttempt>(actions).at(0).state, TrialState::kLost);
  EXPECT_EQ(trial.progress.checkpoint_step, 100);
  EXPECT_EQ(trial.failures, 0);
  EXPECT_TRUE(starts());
  EXPECT_EQ(state.trials[0].num_attempts, 2);
}

TEST_F(Restore, BelievesTheFileOfAnAttemptWhoseEndNobodySaw) {
  const auto outcome = make_event(5, "outcome", {{"state", "succeeded"}});
  const Trial& trial = restored(TrialState::kRunning, {attempt(1, TrialState::kRunning, {outcome})});
  EXPECT_EQ(trial.state, TrialState::kSucceeded);
  EXPECT_EQ(all_of<EndAttempt>(actions).at(0).state, TrialState::kSucceeded);
  EXPECT_EQ(all_of<SetTrialState>(actions).at(0).state, TrialState::kSucceeded);
  EXPECT_FALSE(starts());
}

TEST_F(Restore, LeavesOutEventsThatAreKnownAlready) {
  PastAttempt past = attempt(1, TrialState::kRunning, {make_event(1, "metric", {}), make_event(2, "metric", {})});
  past.record.last_event = 1;
  restored(TrialState::kRunning, {past});
  ASSERT_THAT(all_of<Ingest>(actions), SizeIs(1));
  EXPECT_EQ(all_of<Ingest>(actions)[0].event.event.number, 2);
}

TEST_F(Restore, RemembersFailuresOfEarlierRuns) {
  const auto failed = make_event(1, "outcome", {{"state", "failed"}, {"reason", "bad luck"}});
  const Trial& trial = restored(TrialState::kRunning, {attempt(1, TrialState::kFailed), attempt(2, TrialState::kFailed),
                                                       attempt(3, TrialState::kRunning, {failed})});
  EXPECT_EQ(trial.state, TrialState::kFailed);
  EXPECT_THAT(trial.reason, HasSubstr("failed 3 times"));
}

TEST_F(Restore, CountsLossesInARowByTheirCheckpoints) {
  const auto saved = [](std::int64_t step) { return make_event(1, "checkpoint", {{"step", step}}); };
  const Trial& trial =
      restored(TrialState::kPreempted, {attempt(1, TrialState::kLost), attempt(2, TrialState::kPreempted, {saved(100)}),
                                        attempt(3, TrialState::kLost, {saved(100)}), attempt(4, TrialState::kLost)});
  EXPECT_EQ(trial.losses_without_progress, 2);
  EXPECT_DOUBLE_EQ(trial.progress.seconds, 40);
}

TEST_F(Restore, CountsLossesAnewOnceSomeoneAskedForATrialThatFailedByThem) {
  policy.max_losses_without_progress = 3;
  std::vector<PastAttempt> attempts(3, attempt(1, TrialState::kLost));
  EXPECT_EQ(restored(TrialState::kFailed, attempts).state, TrialState::kFailed);
  EXPECT_EQ(restored(TrialState::kPending, attempts).state, TrialState::kPending) << "just asked for";
  attempts.push_back(attempt(4, TrialState::kPreempted));
  EXPECT_EQ(restored(TrialState::kPreempted, attempts).state, TrialState::kPreempted);
  EXPECT_EQ(state.trials[0].losses_without_progress, 1);
  attempts.push_back(attempt(5, TrialState::kRunning));
  EXPECT_EQ(restored(TrialState::kRunning, attempts).state, TrialState::kLost);
  EXPECT_EQ(state.trials[0].losses_without_progress, 2);
  EXPECT_TRUE(starts());
  attempts.push_back(attempt(6, TrialState::kRunning));
  EXPECT_EQ(restored(TrialState::kRunning, attempts).state, TrialState::kFailed) << "it may not be lost for ever";
}

TEST_F(Restore, PutsTrialsWithLessLeftBehindOthers) {
  const sweeps::Cell other = make_cell(1);
  state = make_state({cell, other}, policy, 5000, std::nullopt);
  const auto saved = make_event(1, "checkpoint", {{"step", 900}});
  actions = restore(
      state, {{cell.id, PastTrial{TrialState::kPreempted, "", {attempt(1, TrialState::kPreempted, {saved})}}}}, 5000);
  const auto starts = all_of<StartTrainer>(react(state, AgentsJoined{{{1, "host", make_devices(1)}}}, 5001));
  ASSERT_THAT(starts, SizeIs(1));
  EXPECT_EQ(starts[0].trial, other.id);
}

}  // namespace
}  // namespace ditscale::orchestrator
