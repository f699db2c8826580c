#include "orchestrator/coordinator/reactor.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using common::ExitCode;
using results::TrialState;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Reactor : public ClusterFixture {};

TEST_F(Reactor, StartsNothingBeforeAnAgentJoins) {
  sweep_of({make_cell(0)});
  EXPECT_THAT(give(Tick{}), IsEmpty());
}

TEST_F(Reactor, RecordsAnAttemptBeforeItStartsIt) {
  sweep_of({make_cell(0)});
  join_one(1);
  ASSERT_THAT(actions, SizeIs(4));  // the first is the node
  const auto& put = std::get<PutAttempt>(actions[1]);
  EXPECT_EQ(put.record.trial, id(0));
  EXPECT_EQ(common::to_int(put.record.number), 1);
  EXPECT_EQ(put.record.host, "host");
  EXPECT_EQ(put.record.devices, "cpu 0");
  EXPECT_EQ(std::get<SetTrialState>(actions[2]).state, TrialState::kRunning);
  EXPECT_EQ(std::get<StartTrainer>(actions[3]).shares, (Shares{{1, "host", 1, make_devices(1)}}));
}

TEST_F(Reactor, StartsTheLongestFirst) {
  sweep_of({make_cell(0, 100), make_cell(1, 300), make_cell(2, 200)});
  join_one(1);
  EXPECT_THAT(started(), ElementsAre(1));
  end_with(1, "succeeded");
  EXPECT_THAT(started(), ElementsAre(2));
  end_with(2, "succeeded");
  EXPECT_THAT(started(), ElementsAre(0));
}

TEST_F(Reactor, StartsEqualTrialsInTheOrderOfTheFile) {
  sweep_of({make_cell(0), make_cell(1), make_cell(2)});
  join_one(2);
  EXPECT_THAT(started(), ElementsAre(0, 1));
}

TEST_F(Reactor, FinishesWhenEveryTrialHasSucceeded) {
  sweep_of({make_cell(0), make_cell(1)});
  join_one(2);
  end_with(0, "succeeded");
  EXPECT_THAT(all_of<Finish>(actions), IsEmpty());
  end_with(1, "succeeded");
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kDone);
  EXPECT_THAT(give(Tick{}), IsEmpty()) << "after the end there is nothing more to decide";
}

TEST_F(Reactor, BelievesTheOutcomeMoreThanTheExitCode) {
  sweep_of({make_cell(0)});
  join_one(1);
  speak(0, "outcome", {{"state", "succeeded"}});
  die(0, 11);
  EXPECT_EQ(state.trials[0].state, TrialState::kSucceeded);
}

TEST_F(Reactor, RetriesAFailureOfTheTrialsOwnAfterAWait) {
  sweep_of({make_cell(0)});
  join_one(1);
  end_with(0, "failed", "bad luck");
  EXPECT_EQ(all_of<EndAttempt>(actions).at(0).state, TrialState::kFailed);
  const SetTrialState set = all_of<SetTrialState>(actions).at(0);
  EXPECT_EQ(set.state, TrialState::kPending);
  EXPECT_THAT(set.reason, HasSubstr("bad luck"));
  EXPECT_THAT(started(), IsEmpty());
  wait(policy.retry_wait_s);
  EXPECT_THAT(started(), ElementsAre(0));
  EXPECT_EQ(common::to_int(attempt(0)), 2);
}

TEST_F(Reactor, StopsTheStudyWhenATrainersDiskIsFullAndCountsNoFailure) {
  sweep_of({make_cell(0), make_cell(1), make_cell(2)});
  join_one(2);
  speak(0, "outcome", {{"state", "lost"}, {"reason", "write a.h5: No space left on device"}});
  end(0, 7);
  EXPECT_EQ(state.trials[0].state, TrialState::kLost);
  EXPECT_EQ(state.trials[0].failures, 0);
  EXPECT_THAT(all_of<GiveUp>(actions).at(0).trouble, HasSubstr("a.h5: No space left on device"));
  EXPECT_EQ(all_of<StopTrainer>(actions).at(0).kind, StopKind::kCheckpoint);
  EXPECT_THAT(started(), IsEmpty());
  end(1, 7);  // nor could it say so
  EXPECT_EQ(state.trials[1].state, TrialState::kLost);
  EXPECT_THAT(all_of<GiveUp>(actions), IsEmpty()) << "once";
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kError);
  EXPECT_THAT(all_of<Finish>(actions)[0].reason, HasSubstr("a.h5"));
}

TEST_F(Reactor, GivesUpATrialWhenItsRetriesAreUsedUpAndRunsTheRest) {
  sweep_of({make_cell(0, 2000), make_cell(1)});
  join_one(1);
  for (int failure = 0; failure <= policy.retries; ++failure) {
    while (!state.trials[0].run) {
      if (state.trials[1].run) end_with(1, "succeeded");
      wait(policy.max_retry_wait_s);
    }
    die(0, 9);
  }
  EXPECT_EQ(state.trials[0].state, TrialState::kFailed);
  EXPECT_EQ(state.trials[0].num_attempts, 3);
  EXPECT_THAT(state.trials[0].reason, HasSubstr("signal 9"));
  if (!state.finished) end_with(1, "succeeded");
  EXPECT_EQ(state.trials[1].state, TrialState::kSucceeded);
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kFinishedWithFailures);
}

/// Two nodes of one core; what starts on the first fails at once.
class ReactorWithABadNode : public Reactor {
 protected:
  void SetUp() override {
    policy.retry_wait_s = 0;
    policy.retries = 100;
    sweep_of({make_cell(0), make_cell(1), make_cell(2)});
    join({{1, "bad", make_devices(1)}, {2, "good", make_devices(1)}});
    ASSERT_THAT(started(), ElementsAre(0, 1));
    checkpoint(1, 100);
  }
  /// The trial that runs there; nothing when the node rests or is idle.
  [[nodiscard]] std::optional<std::size_t> on_bad_node() const {
    for (const std::size_t position : state.running) {
      if (state.trials[position].run->leader() == 1) return position;
    }
    return std::nullopt;
  }
  void fail_there(int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(on_bad_node());
      end_with(*on_bad_node(), "failed", "no CUDA-capable device");
      if (all_of<RestNode>(actions).empty()) wait(1);
    }
  }
};

TEST_F(ReactorWithABadNode, LetsItRestLongerAndLonger) {
  fail_there(policy.max_false_starts);
  ASSERT_THAT(all_of<RestNode>(actions), SizeIs(1));
  EXPECT_EQ(all_of<RestNode>(actions)[0].host, "bad");
  EXPECT_EQ(all_of<RestNode>(actions)[0].seconds, policy.rest_s);
  wait(policy.rest_s - 3);
  EXPECT_FALSE(on_bad_node());
  wait(3);
  ASSERT_TRUE(on_bad_node()) << "it is tried again";
  fail_there(1);
  EXPECT_EQ(all_of<RestNode>(actions).at(0).seconds, 2 * policy.rest_s);
  for (int i = 0; i < 20; ++i) {
    wait(policy.max_rest_s);
    fail_there(1);
  }
  EXPECT_EQ(all_of<RestNode>(actions).at(0).seconds, policy.max_rest_s);
}

TEST_F(ReactorWithABadNode, WhoseTrainerBeginsAfterAllIsWell) {
  fail_there(policy.max_false_starts);
  wait(policy.rest_s);
  ASSERT_TRUE(on_bad_node());
  speak(*on_bad_node(), "started", {{"step", 0}});
  fail_there(1);
  EXPECT_THAT(all_of<RestNode>(actions), IsEmpty()) << "a failure on the way is the trial's";
  fail_there(policy.max_false_starts - 1);
  EXPECT_THAT(all_of<RestNode>(actions), IsEmpty()) << "counting begins anew";
}

TEST_F(ReactorWithABadNode, MayBeLostWhileItRests) {
  fail_there(policy.max_false_starts);
  give(AgentLost{1, "its node was lost"});
  wait(policy.max_rest_s);
  end_with(1, "succeeded");
  EXPECT_THAT(started(), SizeIs(1)) << "on the other node";
}

TEST_F(ReactorWithABadNode, UsesItWhenItIsTheLastOne) {
  give(AgentLost{2, "its node was lost"});
  fail_there(2 * policy.max_false_starts);
  wait(1);
  EXPECT_TRUE(on_bad_node());
}

TEST_F(Reactor, WaitsForANodeThatRestsWhenOnlyThatCanTakeTheRest) {
  policy.retries = 100;
  policy.max_retry_wait_s = policy.retry_wait_s;
  sweep_of({make_cell(0), make_cell(1, 10, {1, 1})});
  join({{1, "bad", make_devices(1, 1)}, {2, "good", make_devices(1)}});
  ASSERT_THAT(started(), ElementsAre(0, 1));
  for (int i = 0; i < 2 * policy.max_false_starts; ++i) {
    end(1, 1);
    EXPECT_THAT(all_of<RestNode>(actions), IsEmpty()) << "no other node has a GPU";
    wait(policy.retry_wait_s);
    ASSERT_TRUE(state.trials[1].run);
  }
  end(1, 1);
  state.nodes.rest(1, now_s + 50);
  end_with(0, "succeeded");
  wait(policy.retry_wait_s);
  ASSERT_FALSE(state.trials[1].run);
  EXPECT_FALSE(state.finished);
  wait(60);
  EXPECT_TRUE(state.trials[1].run);
}

TEST_F(Reactor, DoesNotRetryATrainingThatDiverged) {
  sweep_of({make_cell(0)});
  join_one(1);
  end_with(0, "diverged", "loss is nan");
  EXPECT_EQ(state.trials[0].state, TrialState::kDiverged);
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kFinishedWithFailures);
}

TEST_F(Reactor, DoesNotCountPreemptionsAsFailures) {
  policy.retries = 0;
  sweep_of({make_cell(0)});
  join_one(1);
  checkpoint(0, 100);
  end_with(0, "preempted", "asked to stop");
  EXPECT_EQ(all_of<EndAttempt>(actions).at(0).state, TrialState::kPreempted);
  EXPECT_EQ(common::to_int(attempt(0)), 2) << "it starts again at once";
  EXPECT_EQ(state.trials[0].failures, 0);
}

TEST_F(Reactor, GivesUpATrialThatIsLostAgainAndAgainWithoutProgress) {
  policy.max_losses_without_progress = 3;
  sweep_of({make_cell(0)});
  join_one(1);
  end_with(0, "preempted");
  end_with(0, "preempted");
  checkpoint(0, 100);
  end_with(0, "preempted");
  EXPECT_EQ(state.trials[0].losses_without_progress, 0) << "progress starts the count anew";
  end_with(0, "preempted");
  end_with(0, "preempted");
  EXPECT_NE(state.trials[0].state, TrialState::kFailed);
  end_with(0, "preempted");
  EXPECT_EQ(state.trials[0].state, TrialState::kFailed);
  EXPECT_THAT(state.trials[0].reason, AllOf(HasSubstr("3 times in a row"), HasSubstr("Save more often")));
}

TEST_F(Reactor, TellsATrialThatOnlyScoresWhatWouldHelpIt) {
  policy.max_losses_without_progress = 2;
  sweep_of({make_cell(0, 400)});
  join_one(1);
  checkpoint(0, 400);
  end_with(0, "preempted");
  end_with(0, "preempted");
  end_with(0, "preempted");
  EXPECT_EQ(state.trials[0].state, TrialState::kFailed);
  EXPECT_THAT(state.trials[0].reason, HasSubstr("draw fewer samples"));
}

TEST_F(Reactor, QuotesTheLogOfATrainerThatDiedBeforeAnyEvent) {
  policy.retries = 0;
  sweep_of({make_cell(0)});
  join_one(1);
  give(TrainerEnded{id(0), attempt(0), 1, std::nullopt, "exit code 1", std::nullopt, "cannot find images"});
  EXPECT_THAT(state.trials[0].reason, HasSubstr("cannot find images"));
}

TEST_F(Reactor, ReportsASilentTrainerAsHung) {
  policy.retries = 0;
  sweep_of({make_cell(0)});
  join_one(1);
  give(TrainerEnded{id(0), attempt(0), std::nullopt, 9, "signal 9 (Killed)", 1800.0, ""});
  EXPECT_EQ(state.trials[0].reason, "hung: no event for 1800 s");
}

TEST_F(Reactor, UnderstandsExitCodesWhenTheOutcomeIsMissing) {
  policy.retries = 0;
  sweep_of({make_cell(0, 400), make_cell(1, 300), make_cell(2, 200)});
  join_one(3);
  end(1, 6);
  EXPECT_EQ(state.trials[1].state, TrialState::kDiverged);
  end(2, 0);
  EXPECT_EQ(state.trials[2].state, TrialState::kFailed) << "success is only what was said to be one";
  end(0, 4);
  EXPECT_EQ(all_of<EndAttempt>(actions).at(0).state, TrialState::kPreempted);
}

TEST_F(Reactor, TakesEachEventOnceWhetherFromPipeOrFile) {
  sweep_of({make_cell(0)});
  join_one(1);
  const auto event = make_event(1, "metric", {{"step", 50}, {"loss", 0.5}});
  give(TrainerSpoke{id(0), attempt(0), event});
  EXPECT_THAT(all_of<Ingest>(actions), SizeIs(1));
  give(TrainerSpoke{id(0), attempt(0), event});
  EXPECT_THAT(actions, IsEmpty());
  EXPECT_EQ(state.trials[0].progress.step, 50);
}

TEST_F(Reactor, RecordsButDoesNotObeyASupersededAttempt) {
  sweep_of({make_cell(0)});
  join_one(1);
  const auto old = attempt(0);
  end_with(0, "preempted");
  give(TrainerSpoke{id(0), old, make_event(7, "outcome", {{"state", "failed"}})});
  EXPECT_THAT(all_of<Ingest>(actions), SizeIs(1));
  EXPECT_EQ(state.trials[0].state, TrialState::kRunning);
  give(TrainerEnded{id(0), old, 1, std::nullopt, "exit code 1", std::nullopt, ""});
  EXPECT_THAT(actions, IsEmpty());
  EXPECT_EQ(state.trials[0].state, TrialState::kRunning);
}

TEST_F(Reactor, AcceptsALateSuccessAsLongAsNoNewerAttemptHasStarted) {
  sweep_of({make_cell(0, 2000), make_cell(1)});
  join({{1, "a", make_devices(1)}, {2, "b", make_devices(1)}});
  const auto lost = attempt(0);
  const int agent = state.trials[0].run->leader();
  give(AgentLost{agent, "node went away"});
  EXPECT_EQ(state.trials[0].state, TrialState::kLost);
  give(TrainerSpoke{id(0), lost, make_event(9, "outcome", {{"state", "succeeded"}})});
  EXPECT_EQ(state.trials[0].state, TrialState::kSucceeded);
  EXPECT_EQ(all_of<EndAttempt>(actions).at(0).state, TrialState::kSucceeded);
  end_with(1, "succeeded");
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kDone);
}

TEST_F(Reactor, IgnoresTrialsThatAreNotItsOwn) {
  sweep_of({make_cell(0)});
  join_one(1);
  give(TrainerSpoke{make_cell(77).id, common::AttemptNumber{1}, make_event(1, "metric", {})});
  EXPECT_THAT(actions, IsEmpty());
}

TEST_F(Reactor, AsksTrainersToSaveOnceAndKillsThemTheSecondTime) {
  sweep_of({make_cell(0), make_cell(1), make_cell(2)});
  join_one(2);
  give(StopRequested{false});
  EXPECT_THAT(all_of<StopTrainer>(actions), SizeIs(2));
  EXPECT_EQ(all_of<StopTrainer>(actions)[0].kind, StopKind::kCheckpoint);
  end_with(0, "preempted");
  EXPECT_THAT(started(), IsEmpty()) << "nothing starts any more";
  give(StopRequested{true});
  ASSERT_THAT(all_of<StopTrainer>(actions), SizeIs(1));
  EXPECT_EQ(all_of<StopTrainer>(actions)[0].kind, StopKind::kKill);
  die(1, 9);
  EXPECT_EQ(state.trials[1].state, TrialState::kPreempted) << "killed on request is no failure of its own";
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kIncomplete);
}

TEST_F(Reactor, KillsATrainerThatDoesNotStopInTime) {
  sweep_of({make_cell(0)});
  join_one(1);
  give(StopRequested{false});
  EXPECT_THAT(wait(policy.stop_wait_s - 5), IsEmpty());
  wait(10);
  ASSERT_THAT(all_of<StopTrainer>(actions), SizeIs(1));
  EXPECT_EQ(all_of<StopTrainer>(actions)[0].kind, StopKind::kKill);
  EXPECT_THAT(wait(10), IsEmpty()) << "once is enough";
}

TEST_F(Reactor, DoesNotCountTheTimeInWhichAllStoodStill) {
  constexpr double kAway_s = 36'000;
  sweep_of({make_cell(0), make_cell(1, 1'000'000, {1, 0}, 500'000)}, 1000.0);
  join_one(2);
  end_with(1, "preempted");
  give(StopRequested{false});
  now_s += kAway_s;
  give(StoodStill{kAway_s});
  EXPECT_THAT(all_of<StopTrainer>(actions), IsEmpty()) << "it is not killed before it could save";
  EXPECT_EQ(all_of<CountStandstill>(actions).at(0).seconds, kAway_s);
  EXPECT_FALSE(state.out_of_time);
  EXPECT_THAT(wait(policy.stop_wait_s - 5), IsEmpty());
  wait(10);
  EXPECT_EQ(all_of<StopTrainer>(actions).at(0).kind, StopKind::kKill);
}

TEST_F(Reactor, StartsTrialsThatStoodStillInTheQueue) {
  constexpr double kAway_s = 36'000;
  sweep_of({make_cell(0, 2000), make_cell(1)}, 1000.0);
  join_one(1);
  now_s += kAway_s;
  give(StoodStill{kAway_s});
  EXPECT_THAT(all_of<StopTrainer>(actions), IsEmpty());
  end_with(0, "succeeded");
  EXPECT_THAT(started(), ElementsAre(1)) << "there is time for it";
  wait(1000);
  EXPECT_TRUE(state.out_of_time);
}

TEST_F(Reactor, RunsWhatFitsAndSaysThatTheNodesCannotTakeTheRest) {
  sweep_of({make_cell(0, 1000, {2, 0}), make_cell(1)}, 10'000.0);
  join_one(1);
  EXPECT_THAT(started(), ElementsAre(1));
  end_with(1, "succeeded");
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kIncomplete);
  EXPECT_EQ(all_of<Finish>(actions).at(0).reason, "the nodes that are left cannot take the remaining trials");
}

TEST_F(Reactor, StartsNothingThatCannotReachACheckpointBeforeTheEnd) {
  sweep_of({make_cell(0, 1'000'000'000, {1, 0}, 500'000'000), make_cell(1, 100, {1, 0}, 10)}, 60.0);
  join_one(2);
  EXPECT_THAT(started(), ElementsAre(1));
  end_with(1, "succeeded");
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kIncomplete);
}

TEST_F(Reactor, StopsTrainersInTimeBeforeTheEndAndKillsThemAtIt) {
  sweep_of({make_cell(0)}, 100.0);
  join_one(1);
  EXPECT_THAT(wait(60), IsEmpty());
  wait(20);
  EXPECT_EQ(all_of<StopTrainer>(actions).at(0).kind, StopKind::kCheckpoint);
  wait(30);
  EXPECT_EQ(all_of<StopTrainer>(actions).at(0).kind, StopKind::kKill);
  die(0, 9);
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kIncomplete);
}

TEST_F(Reactor, GivesATrialOfALostAgentToAnother) {
  sweep_of({make_cell(0)});
  join({{1, "a", make_devices(1)}, {2, "b", make_devices(1)}});
  const int agent = state.trials[0].run->leader();
  give(AgentLost{agent, "node went away"});
  EXPECT_EQ(all_of<EndAttempt>(actions).at(0).state, TrialState::kLost);
  ASSERT_THAT(started(), ElementsAre(0));
  EXPECT_NE(all_of<StartTrainer>(actions)[0].shares.front().agent, agent);
}

TEST_F(Reactor, RecordsWhichNodesThereAreAndUntilWhen) {
  sweep_of({make_cell(0)});
  join({{1, "a", make_devices(4)}, {2, "b", make_devices(2)}});
  ASSERT_THAT(all_of<JoinNode>(actions), SizeIs(2));
  EXPECT_EQ(all_of<JoinNode>(actions)[0].record.cpus, 4);
  EXPECT_EQ(all_of<JoinNode>(actions)[1].record.host, "b");
  const int idle = state.trials[0].run->leader() == 1 ? 2 : 1;
  give(AgentLost{idle, "node went away"});
  ASSERT_THAT(all_of<LeaveNode>(actions), SizeIs(1));
  EXPECT_EQ(all_of<LeaveNode>(actions)[0].agent, idle);
  end_with(0, "succeeded");
  ASSERT_THAT(all_of<LeaveNode>(actions), SizeIs(1)) << "the other leaves with the end of the run";
  EXPECT_EQ(all_of<LeaveNode>(actions)[0].agent, 3 - idle);
}

TEST_F(Reactor, EndsIncompleteWhenTheLastAgentIsLost) {
  sweep_of({make_cell(0)});
  join_one(1);
  give(AgentLost{1, "node went away"});
  EXPECT_EQ(all_of<Finish>(actions).at(0).code, ExitCode::kIncomplete);
}

TEST_F(Reactor, OrdersTheQueueAnewWhenRatesAreMeasured) {
  policy.max_order_tries = 0;
  sweep_of({make_cell(0, 1000, {1, 0}), make_cell(1, 900, {2, 0}), make_cell(2, 100'000, {2, 0})});
  join_one(2);
  EXPECT_THAT(started(), ElementsAre(2));
  give(SpeedMeasured{{1, 0}, {1e-3, 1e-3}});  // cores alone turn out to be fast, so trial 0 is short now
  end_with(2, "succeeded");
  EXPECT_THAT(started(), ElementsAre(1));
}

}  // namespace
}  // namespace ditscale::orchestrator
