#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using results::DecisionRecord;
using results::TrialState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class EarlyStopping : public ClusterFixture {
 protected:
  /// Trials side by side that are judged by their loss at these steps.
  void start_sweep(int num_trials, const std::vector<std::string>& among = {},
                   const std::vector<std::int64_t>& at_steps = {100}) {
    sweeps::EarlyStopping rule;
    rule.at_steps = at_steps;
    rule.among = among;
    std::vector<sweeps::Cell> cells;
    for (int seed = 0; seed < num_trials; ++seed) cells.push_back(make_cell(seed));
    sweep_of(cells);
    state.halving.emplace(rule);
    join_one(num_trials);
  }
  Actions reach(std::size_t trial, std::int64_t step, common::Json loss) {
    return speak(trial, "metric", {{"step", step}, {"loss", std::move(loss)}});
  }
  [[nodiscard]] bool is_asked_to_stop(std::size_t trial) const {
    return state.trials[trial].run->stop != StopKind::kNone;
  }
};

TEST_F(EarlyStopping, LetsTheBestHalfGoOnInTheOrderOfArrival) {
  start_sweep(4);
  for (const std::size_t trial : {0, 1, 2, 3}) reach(trial, 50, 9.0);
  reach(0, 100, 0.5);   // 1 of 1
  reach(1, 100, 0.6);   // 2 of 2
  reach(2, 100, 0.4);   // 1 of 3
  reach(3, 100, 0.45);  // 2 of 4
  EXPECT_FALSE(is_asked_to_stop(0));
  EXPECT_TRUE(is_asked_to_stop(1));
  EXPECT_FALSE(is_asked_to_stop(2));
  EXPECT_FALSE(is_asked_to_stop(3));
  reach(1, 150, 0.1);
  EXPECT_THAT(all_of<PutDecision>(actions), IsEmpty()) << "judged once";
}

TEST_F(EarlyStopping, EndsAStoppedTrialAsCancelledAndNotAsAFailure) {
  start_sweep(2);
  reach(0, 100, 0.5);
  reach(1, 100, 0.6);
  end_with(1, "preempted", "asked to stop");
  EXPECT_EQ(state.trials[1].state, TrialState::kCancelled);
  EXPECT_EQ(state.trials[1].reason, "stopped early: loss 0.6 at step 100 was number 2 of 2; the best 1 went on");
  end_with(0, "succeeded");
  ASSERT_EQ(all_of<Finish>(actions).size(), 1U);
  EXPECT_EQ(all_of<Finish>(actions)[0].code, common::ExitCode::kDone);
}

TEST_F(EarlyStopping, JudgesATrialNoMoreThatIsTrained) {
  start_sweep(2);
  reach(0, 100, 0.5);
  reach(1, 1000, 0.6);
  EXPECT_THAT(all_of<PutDecision>(actions), IsEmpty()) << "only scores are left";
  EXPECT_FALSE(is_asked_to_stop(1));
}

TEST_F(EarlyStopping, AcceptsATrialThatEndedBeforeItHeardOfIt) {
  start_sweep(2);
  reach(0, 100, 0.5);
  reach(1, 100, 0.6);
  end_with(1, "succeeded");
  EXPECT_EQ(state.trials[1].state, TrialState::kSucceeded);
  end_with(0, "succeeded");
  ASSERT_EQ(all_of<Finish>(actions).size(), 1U);
  EXPECT_EQ(all_of<Finish>(actions)[0].reason, "every trial has succeeded") << "none was stopped";
}

TEST_F(EarlyStopping, DoesNotStartATrialAgainThatWasLostWhileItStopped) {
  start_sweep(2);
  reach(0, 100, 0.5);
  reach(1, 100, 0.6);
  die(1, 9);
  EXPECT_EQ(state.trials[1].state, TrialState::kCancelled);
  EXPECT_THAT(started(), IsEmpty());
}

TEST_F(EarlyStopping, ComparesOnlyWithinTheGroup) {
  start_sweep(3, {"seed"});
  for (const std::size_t trial : {0, 1, 2}) {
    reach(trial, 100, 0.5 + static_cast<double>(trial));
    EXPECT_FALSE(is_asked_to_stop(trial));
  }
}

TEST_F(EarlyStopping, TakesALossThatIsNoNumberForTheWorst) {
  start_sweep(2);
  reach(0, 100, 1e30);
  reach(1, 100, nullptr);
  EXPECT_TRUE(is_asked_to_stop(1));
}

TEST_F(EarlyStopping, JudgesATrialNoMoreThatWasStopped) {
  start_sweep(2, {}, {100, 200});
  reach(0, 100, 0.5);
  reach(1, 100, 0.6);
  ASSERT_TRUE(is_asked_to_stop(1));
  reach(1, 200, 0.1);
  EXPECT_THAT(all_of<PutDecision>(actions), IsEmpty()) << "it has not heard of it yet";
  reach(0, 200, 0.4);
  ASSERT_EQ(all_of<PutDecision>(actions).size(), 1U);
  EXPECT_EQ(all_of<PutDecision>(actions)[0].record.num_known, 1);
}

TEST_F(EarlyStopping, DoesNotMixInDecisionsOfAnotherMetric) {
  start_sweep(2);
  results::DecisionRecord by_fid;
  by_fid.trial = id(0);
  by_fid.step = 100;
  by_fid.metric = "fid";
  by_fid.value = 0.1;
  state.halving->remember(state.trials[0].cell, by_fid);
  reach(0, 100, 0.6);
  ASSERT_EQ(all_of<PutDecision>(actions).size(), 1U) << "its loss was not judged before";
  EXPECT_EQ(all_of<PutDecision>(actions)[0].record.num_known, 1);
  EXPECT_TRUE(all_of<PutDecision>(actions)[0].record.kept);
}

TEST_F(EarlyStopping, JudgesATrialNoMoreThatSomeoneLetGoOn) {
  start_sweep(2, {}, {100, 200});
  reach(0, 100, 0.5);
  reach(1, 100, 0.6);
  results::DecisionRecord overruled = all_of<PutDecision>(actions).at(0).record;
  overruled.kept = true;  // all that `retry` changes
  sweeps::EarlyStopping rule;
  rule.at_steps = {100, 200};
  const auto at_200 = make_event(9, "metric", {{"step", 200}, {"loss", 0.9}});
  Halving again(rule);
  again.remember(state.trials[0].cell, DecisionRecord{id(0), 200, "loss", 0.4});
  again.remember(state.trials[1].cell, overruled);
  EXPECT_THAT(again.judge(state.trials[1].cell, at_200, now_s), IsEmpty());
}

TEST_F(EarlyStopping, JudgesWhatItsTrialsSaidWhileNobodyListened) {
  std::unordered_map<common::TrialId, PastTrial> past;
  std::vector<sweeps::Cell> cells{make_cell(0), make_cell(1)};
  for (const sweeps::Cell& cell : cells) {
    PastAttempt attempt;
    attempt.record.trial = cell.id;
    attempt.events = {make_event(1, "metric", {{"step", 100}, {"loss", cell.trial.seed == 0 ? 0.6 : 0.5}})};
    past[cell.id].state = TrialState::kRunning;
    past[cell.id].attempts = {attempt};
  }
  past[cells[1].id].decisions = {DecisionRecord{cells[1].id, 100, "loss", 0.5}};
  past[cells[1].id].attempts[0].record.last_event = 1;
  state = make_state(cells, policy, now_s, std::nullopt);
  sweeps::EarlyStopping rule;
  rule.at_steps = {100};
  state.halving.emplace(rule);
  actions = restore(state, past, now_s);
  ASSERT_EQ(all_of<PutDecision>(actions).size(), 1U) << "what is on record was judged";
  EXPECT_EQ(all_of<PutDecision>(actions)[0].record.trial, cells[0].id);
  EXPECT_FALSE(all_of<PutDecision>(actions)[0].record.kept);
  EXPECT_EQ(state.trials[0].state, TrialState::kCancelled);
  EXPECT_EQ(state.trials[1].state, TrialState::kLost);
}

TEST_F(EarlyStopping, RemembersItsDecisionsAfterARestart) {
  start_sweep(2);
  reach(0, 100, 0.5);
  const auto first = all_of<PutDecision>(actions);
  reach(1, 100, 0.6);
  const auto second = all_of<PutDecision>(actions);
  ASSERT_EQ(first.size() + second.size(), 2U);

  std::unordered_map<common::TrialId, PastTrial> past;
  past[id(0)].decisions = {first[0].record};
  past[id(1)].decisions = {second[0].record};
  sweeps::EarlyStopping rule;
  rule.at_steps = {100};
  State again = make_state({make_cell(0), make_cell(1), make_cell(2)}, policy, now_s, std::nullopt);
  again.halving.emplace(rule);
  const Actions recorded = restore(again, past, now_s);
  EXPECT_EQ(again.trials[0].state, TrialState::kPending);
  EXPECT_EQ(again.trials[1].state, TrialState::kCancelled) << "it was killed before it had stopped";
  EXPECT_THAT(again.trials[1].reason, StartsWith("stopped early: "));
  const auto judged =
      again.halving->judge(again.trials[2].cell, make_event(1, "metric", {{"step", 100}, {"loss", 0.55}}), 1);
  ASSERT_EQ(judged.size(), 1U);
  EXPECT_EQ(judged[0].num_known, 3);
  EXPECT_EQ(judged[0].rank, 2);
  EXPECT_TRUE(judged[0].kept) << "the best 2 of 3";
}

}  // namespace
}  // namespace ditscale::orchestrator
