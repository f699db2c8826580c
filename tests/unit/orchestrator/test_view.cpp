#include <chrono>
#include <cstdio>
#include <thread>

#include <unistd.h>

#include "common/atomic_file.hpp"
#include "orchestrator/coordinator/restore.hpp"
#include "orchestrator/view/display.hpp"
#include "orchestrator/view/outlook_note.hpp"
#include "orchestrator/view/overview.hpp"
#include "orchestrator/view/text.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Text, SaysDurationsAsPeopleDo) {
  EXPECT_EQ(duration_text(4.25), "4.2 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
  EXPECT_EQ(duration_text(273'600), "3 d 04 h");
}

TEST(Text, ShortensLargeNumbers) {
  EXPECT_EQ(si_text(999), "999");
  EXPECT_EQ(si_text(675'129'632), "675 M");
  EXPECT_EQ(bytes_text(1.5e9), "1.5 GB");
  EXPECT_EQ(cut("abcdefgh", 6), "abc...");
  EXPECT_EQ(cut("abc", 6), "abc");
}

TEST(Text, AlignsNumbersToTheRight) {
  EXPECT_EQ(table_text({{"name", "value"}, {"a", "10"}, {"bcdef", "-"}}), "name   value\na         10\nbcdef      -\n");
}

/// A clock that a test moves.
class HandClock final : public common::Clock {
 public:
  [[nodiscard]] double unix_s() const override { return now_s; }
  [[nodiscard]] double monotonic_s() const override { return now_s; }
  double now_s = 1000;
};

class View : public ClusterFixture {
 protected:
  void SetUp() override { out_ = std::tmpfile(); }
  void TearDown() override { std::fclose(out_); }
  std::string written() {
    std::string text(static_cast<std::size_t>(std::ftell(out_)), '\0');
    std::rewind(out_);
    text.resize(std::fread(text.data(), 1, text.size(), out_));
    return text;
  }

  std::FILE* out_ = nullptr;
  HandClock clock_;
  Timing timing_;
};

TEST_F(View, CountsTrialsByWhatTheyDo) {
  sweep_of({make_cell(0), make_cell(1), make_cell(2), make_cell(3)});
  join_one(2);
  end_with(0, "succeeded");
  end_with(1, "diverged");
  EXPECT_EQ(counts_text(overview_of(state)), "1 done, 2 running, 0 queued, 1 failed");
  EXPECT_DOUBLE_EQ(overview_of(state).done_share, 0.5);
}

TEST_F(View, CountsTrialsThatWereStoppedEarlyApart) {
  sweep_of({make_cell(0), make_cell(1)});
  sweeps::EarlyStopping rule;
  rule.at_steps = {100};
  state.halving.emplace(rule);
  join_one(2);
  speak(0, "metric", {{"step", 100}, {"loss", 0.5}});
  speak(1, "metric", {{"step", 100}, {"loss", 0.6}});
  end_with(1, "preempted");
  EXPECT_EQ(counts_text(overview_of(state)), "0 done, 1 running, 0 queued, 1 stopped early");
}

/// The system's clock may be set while a study runs; a state's times do not follow.
TEST_F(View, CountsByTheClockOfTheStateAndNotOfTheSystem) {
  sweep_of({make_cell(0, 2'000'000)});
  join_one(1);
  const double left_s = look_ahead(state, now_s + 10).left_s;
  clock_.now_s = 5'000'000;
  for (const std::size_t columns : {0, 80}) {
    auto display = make_display(out_, "demo", columns, timing_, clock_);
    clock_.now_s += timing_.plain_progress_s;
    display->update(state, now_s + 10);
    display.reset();  // all is written then
    EXPECT_THAT(written(), HasSubstr("about " + duration_text(left_s) + " left"));
    std::rewind(out_);
  }
}

TEST_F(View, ShowsATrialThatStartsAgainAtItsCheckpoint) {
  sweep_of({make_cell(0)});
  join_one(1);
  checkpoint(0, 300);
  speak(0, "metric", {{"step", 350}});
  die(0, 9);
  wait(1e6);
  ASSERT_EQ(state.trials[0].num_attempts, 2);
  EXPECT_THAT(running_text(state.trials[0]), HasSubstr("step 300/1000"));
}

TEST_F(View, EstimatesTheEndFromRunningAndQueuedTrials) {
  sweep_of({make_cell(0), make_cell(1)});
  join_one(1);
  const double start_s = now_s;
  speak(0, "metric", {{"step", 500}});
  // Half is done after 100 s, so 100 s are left; then comes the other one as predicted.
  EXPECT_DOUBLE_EQ(look_ahead(state, start_s + 100).left_s, 100 + state.trials[1].predicted_s);
}

TEST_F(View, ShowsRunningTrialsWithStepLossAndSpeed) {
  sweep_of({make_cell(0), make_cell(1)});
  join_one(1);
  speak(0, "metric", {{"step", 250}, {"loss", 0.125}, {"images_per_s", 812.4}});
  const auto lines = live_lines(state, "demo", {60, "next: that"}, 100, 5);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0], "demo: 0 done, 1 running, 1 queued, about 1 min 00 s left");
  EXPECT_THAT(lines[1], HasSubstr("[#"));
  EXPECT_EQ(lines[2], "1 of 1 cpus busy");
  EXPECT_EQ(lines[4], "next: that");
  EXPECT_THAT(lines[3], HasSubstr("step 250/1000  loss 0.1250  812 images/s"));
  for (const auto& line : live_lines(state, "demo", {60, ""}, 40, 5)) EXPECT_LE(line.size(), 40U);
}

TEST_F(View, CountsTheDevicesThatAreBusy) {
  sweep_of({make_cell(0, 1000, {2, 1}), make_cell(1)});
  join_one(4, 2);
  EXPECT_EQ(utilisation_text(state.nodes), "3 of 4 cpus and 1 of 2 gpus busy");
  end_with(1, "succeeded");
  EXPECT_EQ(utilisation_text(state.nodes), "2 of 4 cpus and 1 of 2 gpus busy");
}

TEST_F(View, TellsWhenTheNextTrialStarts) {
  sweep_of({make_cell(0, 2'000'000), make_cell(1), make_cell(2)});
  EXPECT_THAT(look_ahead(state, now_s).next, HasSubstr("when there are nodes that can hold it"));
  join_one(1);
  const double start_s = state.trials[0].run->started_s;
  EXPECT_EQ(look_ahead(state, start_s + 1).next,
            "next: " + id(1).brief() + " seed=1 in about " + duration_text(state.trials[0].predicted_s - 1));
  end_with(0, "succeeded");
  end_with(1, "succeeded");
  EXPECT_EQ(look_ahead(state, now_s).next, "") << "nothing is queued";
}

/// The longest waits for both cores; a short one goes ahead of it where it ends in time.
TEST_F(View, NamesTheTrialThatReallyStartsNext) {
  sweep_of({make_cell(0, 3'000'000), make_cell(1, 300'000), make_cell(2, 2'000'000, {2, 0}), make_cell(3, 100'000)});
  join_one(2);
  ASSERT_THAT(started(), ::testing::ElementsAre(0, 1));
  EXPECT_THAT(look_ahead(state, now_s).next, HasSubstr("next: " + id(3).brief()));
  end_with(1, "succeeded");
  EXPECT_THAT(started(), ::testing::ElementsAre(3));
}

/// As `orchestrator run … | less` does.
TEST_F(View, DoesNotWaitForAReaderThatStalls) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::FILE* out = ::fdopen(ends[1], "w");
  sweep_of({make_cell(0)});
  for (const std::size_t columns : {0, 80}) {
    auto display = make_display(out, "demo", columns, timing_, clock_);
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 2000; ++i) {
      display->notice(std::string(200, 'x'));
      display->update(state, now_s);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    std::thread reader([&] {
      char chunk[4096];
      for (std::size_t left = 2000 * 200; left > 0;)
        left -= std::min<std::size_t>(left, ::read(ends[0], chunk, sizeof chunk));
    });
    display->close();
    reader.join();
  }
  std::fclose(out);
  ::close(ends[0]);
}

/// `status` has no estimate of its own.
TEST_F(View, LeavesItsEstimateWhereStatusReadsIt) {
  sweep_of({make_cell(0, 2'000'000), make_cell(1)});
  join_one(1);
  const test::TemporaryFolder folder;
  const auto file = folder / "outlook.json";
  for (const std::size_t columns : {0, 80}) {
    common::write_file_atomically(file, R"({"written_s": 1000, "left_s": 5, "next": "of an earlier run"})");
    const auto display = make_display(out_, "demo", columns, timing_, clock_, file);
    EXPECT_FALSE(read_outlook(file, clock_.unix_s()));
    display->update(state, now_s);
    const Outlook expected = look_ahead(state, now_s);
    const auto noted = read_outlook(file, clock_.unix_s() + 7);
    ASSERT_TRUE(noted);
    EXPECT_DOUBLE_EQ(noted->left_s, expected.left_s - 7);
    EXPECT_EQ(noted->next, expected.next);
    EXPECT_FALSE(read_outlook(file, clock_.unix_s() + 600)) << "a run that stands still";
  }
  common::write_file_atomically(file, "{");
  EXPECT_FALSE(read_outlook(file, clock_.unix_s()));
}

TEST_F(View, WritesPlainLinesIntoAFile) {
  sweep_of({make_cell(0)});
  const auto display = make_display(out_, "demo", 0, timing_, clock_);
  display->changed(state, join_one(1));
  display->update(state, now_s);
  clock_.now_s += timing_.plain_progress_s;
  display->update(state, now_s);
  display->close();
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("seed=0: running (attempt 1)\n"));
  EXPECT_THAT(text, HasSubstr("progress: 0 done, 1 running, 0 queued"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "no escape sequences";
}

TEST_F(View, RedrawsInPlaceOnATerminal) {
  sweep_of({make_cell(0)});
  join_one(1);
  const auto display = make_display(out_, "demo", 80, timing_, clock_);
  for (int drawing = 0; drawing < 2; ++drawing) {
    for (int look = 0; look < 50; ++look) {
      display->update(state, now_s);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // what was drawn before must be taken first
    }
    clock_.now_s += timing_.redraw_s;
  }
  display->close();
  const std::string text = written();
  const std::string erase = "\x1b[4A\r\x1b[J";
  const std::size_t first = text.find(erase);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.rfind(erase), text.size() - erase.size()) << "the end takes the view away";
  EXPECT_EQ(text.substr(0, first) + erase + text.substr(0, first) + erase, text)
      << "drawn twice: not before it is time";
}

TEST_F(View, TellsWhyAStateChanged) {
  sweep_of({make_cell(0)});
  join_one(1);
  end_with(0, "diverged", "loss is nan");
  EXPECT_EQ(change_text(state, all_of<SetTrialState>(actions).at(0)), id(0).brief() + " seed=0: diverged: loss is nan");
}

}  // namespace
}  // namespace ditscale::orchestrator
