#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "common/error.hpp"
#include "orchestrator/agent/trainer.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/coordinator/event_file.hpp"
#include "orchestrator/coordinator/study.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "orchestrator/launcher/lock_holder.hpp"
#include "orchestrator/view/report.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

namespace fs = std::filesystem;
using results::TrialState;
using ::testing::HasSubstr;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ditscale-files-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  [[nodiscard]] common::StudyPaths paths() const { return {folder_ / "study"}; }

  static sweeps::Sweep sweep_of(std::vector<sweeps::Cell> cells) { return {"study", "", std::move(cells), {}}; }

  fs::path folder_;
};

TEST_F(Files, LeaveOutALineThatAKillCutShort) {
  const std::string whole = make_event(1, "metric", {{"step", 1}}).to_line() + "\n";
  const std::string second = make_event(2, "metric", {{"step", 2}}).to_line();
  for (std::size_t length = 0; length <= second.size(); ++length) {
    const EventFile file = read_event_file(write("events.jsonl", whole + second.substr(0, length)));
    EXPECT_EQ(file.events.size(), 1U);
    EXPECT_EQ(file.num_unreadable, 0U);
  }
  EXPECT_EQ(read_event_file(write("events.jsonl", whole + second + "\n")).events.size(), 2U);
  EXPECT_TRUE(read_event_file(folder_ / "absent").events.empty());
}

TEST_F(Files, AreReadFromTheEndAsFarAsTheyAreNew) {
  constexpr std::int64_t kNumEvents = 500;  // some 30 kB
  std::string text;
  for (std::int64_t number = 1; number <= kNumEvents; ++number) {
    text += make_event(number, "metric", {{"step", number}}).to_line() + "\n";
  }
  const fs::path file = write("events.jsonl", text + R"({"v":1,"n":501)");
  for (const std::int64_t after : {0, 1, 2, 250, 440, 498, 499, 500}) {
    const EventFile read = read_event_file(file, after);
    ASSERT_EQ(std::ssize(read.events), kNumEvents - after);
    EXPECT_EQ(read.num_unreadable, 0U);
    for (std::int64_t i = 0; i < std::ssize(read.events); ++i) {
      EXPECT_EQ(read.events[static_cast<std::size_t>(i)].number, after + 1 + i);
    }
  }
  EXPECT_TRUE(read_event_file(write("empty.jsonl", ""), 7).events.empty());
}

TEST_F(Files, SkipADamagedLineAndSaySo) {
  const std::string line = make_event(1, "metric", common::Json::object()).to_line() + "\n";
  const EventFile file = read_event_file(write("events.jsonl", line + "rubbish\n" + line));
  EXPECT_EQ(file.events.size(), 2U);
  EXPECT_EQ(file.num_unreadable, 1U);
}

TEST_F(Files, QuoteTheLastLinesOfALog) {
  const fs::path log = write("log.txt", "one\ntwo\n\n\x1b[31mthree\x1b[0m\nfour");
  EXPECT_EQ(last_lines(log, 2), "[31mthree[0m | four");
  EXPECT_EQ(last_lines(log, 99), "one | two | [31mthree[0m | four");
  EXPECT_EQ(last_lines(folder_ / "absent", 3), "");
}

TEST_F(Files, FindAProgramOnThePath) {
  const fs::path program = write("bin/thing", "");
  write("other/thing", "");
  const std::string path = (folder_ / "other").string() + "::" + (folder_ / "bin").string();
  EXPECT_EQ(find_program("thing", path), "") << "a file that cannot be executed is no program";
  fs::permissions(program, fs::perms::owner_all);
  EXPECT_EQ(find_program("thing", path), program.string());
  EXPECT_EQ(find_program("thing", ""), "");
}

TEST_F(Files, LetOnlyOneCoordinatorWork) {
  const sweeps::Sweep sweep = sweep_of({make_cell(0)});
  const Study study(paths(), sweep);
  try {
    const Study second(paths(), sweep);
    FAIL() << "two coordinators at once";
  } catch (const common::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("another `orchestrator run` works on this study"));
  }
}

TEST_F(Files, GivePlansTheSpeedsMeasuredWhileACoordinatorWorks) {
  const sweeps::Sweep sweep = sweep_of({make_cell(0)});
  const Ask ask = ask_of(sweep.cells[0].trial.resources);
  {
    Study study(paths(), sweep);
    State state = make_state(sweep.cells, Policy(), 1000, std::nullopt);
    study.record(restore(state, study.past(), 1000));
    study.record(react(state, AgentsJoined{{{1, "host", make_devices(1)}}}, 1001));
    const common::AttemptNumber first{1};
    const auto speak = [&](const common::Event& event) {
      study.record(react(state, TrainerSpoke{sweep.cells[0].id, first, event}, 1501));
    };
    speak(make_event(1, "started", {{"step", 0}, {"images", 0}}));
    speak(make_event(2, "metric", {{"step", 1000}, {"images", 8000}, {"loss", 0.5}}));
    speak(make_event(3, "outcome", {{"state", "succeeded"}}));
    study.record(react(state, TrainerEnded{sweep.cells[0].id, first, 0, std::nullopt, "", std::nullopt, ""}, 1502));
    EXPECT_GT(speeds_of(paths())(ask).num_runs, 0) << "beside a coordinator";
  }
  const SpeedOf speeds = speeds_of(paths());
  EXPECT_GT(speeds(ask).num_runs, 0);
  EXPECT_FALSE(is_worked_on(paths())) << "a plan keeps no coordinator from its work";
  write("study/results.db", "rubbish");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(speeds_of(paths())(ask).num_runs, 0);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("no measured speed is used"));
}

TEST_F(Files, RememberTrialsOverARestart) {
  const sweeps::Sweep sweep = sweep_of({make_cell(0), make_cell(1)});
  {
    Study study(paths(), sweep);
    State state = make_state(sweep.cells, Policy(), 1000, std::nullopt);
    study.record(restore(state, study.past(), 1000));
    Actions actions = react(state, AgentsJoined{{{1, "host", make_devices(1)}}}, 1001);
    study.record(actions);
    study.prepare(all_of<StartTrainer>(actions).at(0));
  }
  EXPECT_TRUE(fs::exists(paths().trial(sweep.cells[0].id).trial_json()));
  const Study study(paths(), sweep);
  const auto past = study.past();
  EXPECT_EQ(past.at(sweep.cells[0].id).state, TrialState::kRunning);
  EXPECT_EQ(past.at(sweep.cells[0].id).attempts.at(0).record.host, "host");
  EXPECT_EQ(past.at(sweep.cells[1].id).state, TrialState::kPending);
}

TEST_F(Files, AreNotNeededToKnowHowFarAnEndedAttemptHadCome) {
  const sweeps::Sweep sweep = sweep_of({make_cell(0)});
  const common::TrialId id = sweep.cells[0].id;
  const common::AttemptNumber first{1};
  {
    Study study(paths(), sweep);
    State state = make_state(sweep.cells, Policy(), 1000, std::nullopt);
    study.record(restore(state, study.past(), 1000));
    study.record(react(state, AgentsJoined{{{1, "host", make_devices(1)}}}, 1001));
    const auto saved = make_event(1, "checkpoint", {{"step", 60}, {"file", "step-60.h5"}});
    study.record(react(state, TrainerSpoke{id, first, saved}, 1002));
    const auto ended = make_event(2, "outcome", {{"state", "preempted"}});
    study.record(react(state, TrainerSpoke{id, first, ended}, 1003));
    study.record(react(state, StopRequested{}, 1004));
    study.record(react(state, TrainerEnded{id, first, 4, std::nullopt, "exit code 4", std::nullopt, ""}, 1005));
  }
  Study study(paths(), sweep);
  State state = make_state(sweep.cells, Policy(), 2000, std::nullopt);
  study.record(restore(state, study.past(), 2000));
  EXPECT_EQ(state.trials[0].state, TrialState::kPreempted);
  EXPECT_EQ(state.trials[0].progress.checkpoint_step, 60);
}

TEST_F(Files, TakeInAttemptsWhoseDatabaseWasDeleted) {
  const sweeps::Sweep sweep = sweep_of({make_cell(0)});
  const std::string events = make_event(1, "checkpoint", {{"step", 100}}).to_line() + "\n" +
                             make_event(2, "outcome", {{"state", "succeeded"}}).to_line() + "\n";
  write("study/trials/" + sweep.cells[0].id.str() + "/attempts/2/events.jsonl", events);
  Study study(paths(), sweep);
  State state = make_state(sweep.cells, Policy(), 1000, std::nullopt);
  study.record(restore(state, study.past(), 1000));
  EXPECT_TRUE(nothing_to_do(state));
  EXPECT_EQ(state.trials[0].state, TrialState::kSucceeded);
  EXPECT_EQ(state.trials[0].num_attempts, 2);
}

/// Earlier versions hashed a micro-batch of the whole batch as if it were another setting than none.
TEST_F(Files, HoldNoTrialTwiceUnderAnOlderId) {
  sweeps::Cell older = make_cell(0);
  older.trial.train.micro_batch = older.trial.train.global_batch;
  older.id = older.trial.id();
  const sweeps::Sweep before = sweep_of({older, make_cell(1)});
  const sweeps::Sweep now = sweep_of({make_cell(0), make_cell(1)});
  ASSERT_NE(older.id, now.cells[0].id);
  {
    Study study(paths(), before);
    EXPECT_NO_THROW(refuse_other_ids(paths(), now)) << "it has not begun";
    State state = make_state(before.cells, Policy(), 1000, std::nullopt);
    study.record(restore(state, study.past(), 1000));
    study.record(react(state, AgentsJoined{{{1, "host", make_devices(2)}}}, 1001));
  }
  try {
    refuse_other_ids(paths(), now);
    FAIL() << "it would be trained again";
  } catch (const common::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr(older.id.brief() + " is " + now.cells[0].id.brief() + " now"));
  }
  const sweeps::Sweep others = sweep_of({make_cell(1), make_cell(2)});
  EXPECT_NO_THROW(refuse_other_ids(paths(), others));
  EXPECT_THAT(foreign_trials_text(paths(), others), HasSubstr("holds 1 trial that is not in this sweep file"));
  EXPECT_EQ(foreign_trials_text(paths(), before), "");
  EXPECT_EQ(foreign_trials_text({folder_ / "absent"}, now), "");
}

TEST_F(Files, TellWhoHoldsALock) {
  const fs::path lock = write("lock", "");
  EXPECT_FALSE(holder_of(lock));
  sign_lock(lock, ::getpid());
  auto holder = holder_of(lock);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, ::getpid());
  EXPECT_TRUE(holder->is_here());
  ++holder->start_ticks;
  EXPECT_FALSE(holder->is_here()) << "a later process of this number";
  --holder->start_ticks;
  holder->host += "-other";
  EXPECT_FALSE(holder->is_here());
}

/// As tests/unit/worker/score_settings_test.cpp finds them stored for an entry with a guidance of 1.5.
common::Json settings_of_worker() {
  return common::Json::parse(
      R"({"decoder":null,"features":"fashion_cnn","features_digest":"708a16386c11f84d79339ea0c3afd27e",)"
      R"("guidance":1.5,"guided_channels":"all","labels":"uniform","num_samples":2000,)"
      R"("reference":"fashion_mnist train","reference_digest":"made up","reference_images":60000,)"
      R"("rounding":"truncate","sample_seed":0,"sampler":"ddim","steps":50,"weights":"ema"})");
}

sweeps::EvaluateSpec entry_for_worker() {
  sweeps::EvaluateSpec entry;
  entry.num_samples = 2000;
  entry.sampler = sweeps::SamplerKind::kDdim;
  entry.steps = 50;
  entry.guidance = 1.5;
  return entry;
}

TEST_F(Files, ReportTheScoreOfTheFirstEvaluateEntry) {
  sweeps::EvaluateSpec partly = entry_for_worker();
  partly.guidance_channels = 1;
  partly.guidance_to = 0.8;
  common::Json of_partly = settings_of_worker();
  of_partly["guided_channels"] = 1;
  of_partly["guidance_interval"] = {0.0, 0.8};
  std::vector<common::Json> of_others(4, of_partly);
  of_others[0] = settings_of_worker();
  of_others[1].erase("guidance_interval");
  of_others[2]["guide_digest"] = "of a weaker model";
  of_others[3]["weights"] = "post_hoc_ema 0.1";
  sweeps::Cell cell = make_cell(0);
  cell.trial.evaluate = {partly, entry_for_worker()};
  cell.id = cell.trial.id();
  const sweeps::Sweep sweep = sweep_of({cell, make_cell(1)});
  {
    Study study(paths(), sweep);
    State state = make_state(sweep.cells, Policy(), 1000, std::nullopt);
    study.record(restore(state, study.past(), 1000));
    study.record(react(state, AgentsJoined{{{1, "host", make_devices(2)}}}, 1001));
    const auto score = [&](std::int64_t number, const common::Json& settings, const char* id, double fid) {
      const auto event = make_event(number, "evaluation",
                                    {{"step", 100 * number},
                                     {"images", 800},
                                     {"settings", settings},
                                     {"settings_id", id},
                                     {"values", {{"fid", fid}}}});
      study.record(react(state, TrainerSpoke{cell.id, common::AttemptNumber{1}, event}, 1001));
    };
    score(1, of_partly, "first", 30.0);
    score(2, of_partly, "first", 20.0);
    score(3, of_others[0], "second", 5.0);
    score(4, of_others[1], "of no entry", 4.0);
    score(5, of_others[2], "of a guide", 3.0);
    score(6, of_others[3], "of other weights", 2.0);
  }
  const Report report = read_report(paths(), std::set<common::TrialId>{cell.id});
  ASSERT_EQ(report.rows.size(), 1U);
  EXPECT_EQ(report.rows[0].fid, 20.0);
  EXPECT_EQ(report.num_foreign, 1U);
  EXPECT_THAT(report_text(report), HasSubstr("1 more in the database are not part of this sweep file"));
  EXPECT_EQ(report_json(report)["trials"][0]["fid"], 20.0);
  EXPECT_EQ(report_json(report)["states"]["running"], 1);
}

}  // namespace
}  // namespace ditscale::orchestrator
