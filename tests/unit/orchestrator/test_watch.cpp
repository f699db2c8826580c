#include <gmock/gmock.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/text.hpp"
#include "orchestrator/cli/trial_choice.hpp"
#include "orchestrator/launcher/verdict.hpp"
#include "orchestrator/view/watch.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::orchestrator {
namespace {

using results::TrialState;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

ReportRow row(const std::string& id, TrialState state, std::int64_t steps_done) {
  ReportRow result;
  result.trial.id = common::TrialId(id + std::string(16 - id.size(), '0'));
  result.trial.label = "seed=" + id;
  result.trial.state = state;
  result.trial.spec = {{"train", {{"steps", 100}, {"global_batch", 10}}}};
  result.trial.training_flops = 1e6;  // of 1,000 images
  result.steps_done = steps_done;
  return result;
}

Report half_way() {
  Report report;
  report.name = "demo";
  report.rows = {row("a", TrialState::kSucceeded, 100), row("b", TrialState::kRunning, 50),
                 row("c", TrialState::kRunning, 0), row("d", TrialState::kPreempted, 50)};
  report.rows[0].fid = 12.5;
  report.rows[1].images_per_s = 20;
  report.rows[2].images_per_s = 30;
  return report;
}

TEST(Watch, MeasuresWhatIsDoneAndWhatMoves) {
  const Movement movement = movement_of(half_way());
  EXPECT_DOUBLE_EQ(movement.done_share, 0.5);
  EXPECT_DOUBLE_EQ(movement.images_per_s, 50);
  EXPECT_EQ(movement.num_running, 2U);
  EXPECT_EQ(movement.num_waiting, 1U);
}

TEST(Watch, TellsWhatRunningTrialsHold) {
  Report report = half_way();
  report.rows[1].trial.spec["resources"] = {{"cpus", 2}, {"gpus", 4}, {"processes", nullptr}};
  report.rows[2].trial.spec["resources"] = {{"cpus", 3}, {"processes", 2}};
  report.num_cpus = 16;
  report.num_gpus = 8;
  EXPECT_THAT(watch_lines(report, std::nullopt, 0),
              Contains(HasSubstr("in 2 trials on 14 of 16 cpus and 4 of 8 gpus")));
}

/// Speeds of the moment say nothing of scores, of start-up, and of trials of another size.
TEST(Watch, GivesTheRunsOwnEstimateOrNone) {
  const auto lines = watch_lines(half_way(), Outlook{83, "next: d0000000 seed=d in about 20.0 s"}, 0);
  EXPECT_EQ(lines[0], "demo: 1 succeeded, 2 running, 1 preempted, about 1 min 23 s left");
  EXPECT_EQ(lines.back(), "next: d0000000 seed=d in about 20.0 s");
  EXPECT_EQ(watch_lines(half_way(), std::nullopt, 0)[0], "demo: 1 succeeded, 2 running, 1 preempted");
}

TEST(Watch, ShowsWhatRunsAndWhatIsBest) {
  const auto lines = watch_lines(half_way(), std::nullopt, 0);
  EXPECT_THAT(lines, Contains(HasSubstr("seed=b  step 50/100  20 images/s")));
  EXPECT_THAT(lines, Contains(HasSubstr("best FID: 12.50 a0000000 seed=a")));
  for (const std::string& line : watch_lines(half_way(), std::nullopt, 30)) EXPECT_LE(line.size(), 30U);
}

TEST(Report, CallsLostWhatADeadRunLeftBehind) {
  Report report = half_way();
  report.num_cpus = 16;
  take_as_left_behind(report);
  const auto lines = watch_lines(report, std::nullopt, 0);
  EXPECT_EQ(lines[0], "demo: 1 succeeded, 1 preempted, 2 lost");
  EXPECT_THAT(lines, Contains(HasSubstr("starts with the next run")));
  EXPECT_EQ(report_json(report)["states"], (common::Json{{"succeeded", 1}, {"preempted", 1}, {"lost", 2}}));
  EXPECT_EQ(report_json(report)["cpus"], 0);
}

TEST(Report, ShowsWhatLeftTheSweepAndDoesNotCountIt) {
  Report report = half_way();
  mark_foreign(report, {report.rows[0].trial.id});
  const common::Json json = report_json(report);
  EXPECT_EQ(json["states"], (common::Json{{"succeeded", 1}}));
  EXPECT_EQ(json["not_in_sweep"], 3);
  EXPECT_EQ(json["trials"].size(), 4U);
  EXPECT_EQ(json["trials"][1]["in_sweep"], false);
  EXPECT_THAT(report_text(report), AllOf(HasSubstr("preempted (not in the sweep)"), Not(HasSubstr("more in the"))));
}

TEST(Report, LeavesOutColumnsOnANarrowTerminalAndSaysWhich) {
  Report report = half_way();
  for (ReportRow& each : report.rows) each.trial.label = "model.patch=7 model.width=128 seed=0";
  const std::string narrow = report_text(report, 80);
  EXPECT_THAT(narrow, HasSubstr("Not shown in 80 columns: attempts, seconds, Gflops"));
  const std::string table = narrow.substr(0, narrow.find("Not shown"));
  for (const std::string& line : common::split(table, '\n')) EXPECT_LE(line.size(), 80U);
  EXPECT_THAT(table, AllOf(HasSubstr("FID"), HasSubstr("state"), Not(HasSubstr("attempts"))));
  const std::string file = report_text(report);
  EXPECT_THAT(file, AllOf(HasSubstr("attempts"), HasSubstr("Gflops"), Not(HasSubstr("Not shown"))));
}

TEST(TrialChoice, ShowsTheTrialsThatAreMeant) {
  Report report = half_way();
  report.rows.push_back(row("a1", TrialState::kPending, 0));
  EXPECT_EQ(choose_trials(report, {"a1"}).front().trial.label, "seed=a1");
  const auto refusal = [&](const std::string& beginning) -> std::string {
    try {
      (void)choose_trials(report, {beginning});
    } catch (const common::UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal("a"), AllOf(HasSubstr("the start of 2 trials' ids"), HasSubstr("a0000000 (seed=a)"),
                                  HasSubstr("a1000000"), Not(HasSubstr("b0000000"))));
  EXPECT_THAT(refusal("9"), AllOf(HasSubstr("the start of no trial's id"), HasSubstr("b0000000")));
}

TEST(Report, HasNotEndedWithoutTrials) {
  EXPECT_FALSE(Report{}.every_trial_has_ended());
  Report report = half_way();
  report.rows.resize(1);
  EXPECT_TRUE(report.every_trial_has_ended());
}

TEST(Verdict, IsThereOnlyWhenItWasWritten) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(read_verdict(folder / "verdict"));
  for (const auto code : {common::ExitCode::kDone, common::ExitCode::kIncomplete, common::ExitCode::kNothingToDo}) {
    write_verdict(folder / "verdict", code);
    EXPECT_EQ(read_verdict(folder / "verdict"), code);
  }
  for (const char* damaged : {"", "x", "77", "-1", "4x"}) {
    common::write_file_atomically(folder / "verdict", damaged);
    EXPECT_FALSE(read_verdict(folder / "verdict")) << damaged;
  }
}

}  // namespace
}  // namespace ditscale::orchestrator
