#include <gmock/gmock.h>

#include "common/atomic_file.hpp"
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

TEST(Watch, CountsQueuedWorkInTheTimeThatIsLeft) {
  const Movement movement = movement_of(half_way());
  EXPECT_DOUBLE_EQ(movement.done_share, 0.5);
  EXPECT_DOUBLE_EQ(movement.images_per_s, 50);
  EXPECT_EQ(movement.num_running, 2U);
  EXPECT_EQ(movement.num_waiting, 1U);
  // 500 + 1,000 + 500 images at 50 a second.
  ASSERT_TRUE(movement.left_s);
  EXPECT_DOUBLE_EQ(*movement.left_s, 40);
}

TEST(Watch, TellsWhatRunningTrialsHoldAndWhenTheFirstIsTrained) {
  Report report = half_way();
  report.rows[1].trial.spec["resources"] = {{"cpus", 2}, {"gpus", 4}, {"processes", nullptr}};
  report.rows[2].trial.spec["resources"] = {{"cpus", 3}, {"processes", 2}};
  report.num_cpus = 16;
  report.num_gpus = 8;
  const auto lines = watch_lines(report, 0);
  EXPECT_THAT(lines, Contains(HasSubstr("in 2 trials on 14 of 16 cpus and 4 of 8 gpus")));
  // 500 images at 20 a second, before 1,000 at 30.
  EXPECT_THAT(lines, Contains(HasSubstr("the first in about 25.0 s")));
}

TEST(Watch, NamesTheTrialOfTheHighestPriorityNext) {
  Report report = half_way();
  report.rows.push_back(row("e", TrialState::kPending, 0));
  EXPECT_THAT(watch_lines(report, 0), Contains(HasSubstr("next: e0000000"))) << "all of it is left";
  report.rows[3].trial.spec["resources"] = {{"priority", 1}};
  EXPECT_THAT(watch_lines(report, 0), Contains(HasSubstr("next: d0000000")));
}

TEST(Watch, DoesNotGuessWhenNothingIsMeasured) {
  Report report = half_way();
  for (ReportRow& each : report.rows) each.images_per_s.reset();
  EXPECT_FALSE(movement_of(report).left_s);
  EXPECT_FALSE(movement_of(report).first_end_s);
  EXPECT_FALSE(movement_of(Report{}).left_s);
}

TEST(Watch, ShowsWhatRunsWhatIsBestAndWhatComesNext) {
  const auto lines = watch_lines(half_way(), 0);
  EXPECT_EQ(lines[0], "demo: 1 succeeded, 2 running, 1 preempted, about 40.0 s of training left");
  EXPECT_THAT(lines, Contains(HasSubstr("seed=b  step 50/100  20 images/s")));
  EXPECT_THAT(lines, Contains(HasSubstr("best FID: 12.50 a0000000 seed=a")));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("next: d0000000"), HasSubstr("when its devices are free"))));
  for (const std::string& line : watch_lines(half_way(), 30)) EXPECT_LE(line.size(), 30U);
}

TEST(Report, CallsLostWhatADeadRunLeftBehind) {
  Report report = half_way();
  report.num_cpus = 16;
  take_as_left_behind(report);
  const auto lines = watch_lines(report, 0);
  EXPECT_EQ(lines[0], "demo: 1 succeeded, 1 preempted, 2 lost");
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("next: c0000000"), HasSubstr("with the next run"))));
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
