#include "orchestrator/view/display.hpp"

#include <chrono>

#include <fmt/chrono.h>

#include "orchestrator/view/background_writer.hpp"
#include "orchestrator/view/outlook_note.hpp"
#include "orchestrator/view/overview.hpp"
#include "orchestrator/view/text.hpp"

namespace ditscale::orchestrator {

using results::TrialState;

namespace {

constexpr std::size_t kMaxRunningLines = 16;

std::string stamped(const common::Clock& clock, const std::string& text) {
  const auto seconds = static_cast<std::time_t>(clock.unix_s());
  return fmt::format("{:%H:%M:%S} {}\n", fmt::localtime(seconds), text);
}

class PlainDisplay final : public Display {
 public:
  PlainDisplay(std::FILE* out, const Timing& timing, const common::Clock& clock, OutlookNote outlook)
      : out_(out),
        timing_(timing),
        clock_(clock),
        outlook_(std::move(outlook)),
        next_s_(clock.monotonic_s() + timing.plain_progress_s) {}

  PlainDisplay(const PlainDisplay&) = delete;
  PlainDisplay& operator=(const PlainDisplay&) = delete;
  ~PlainDisplay() override { flush(); }

  void notice(const std::string& text) override {
    waiting_ += stamped(clock_, text);
    flush();
  }

  void changed(const State& state, const Actions& actions) override {
    for (const Action& action : actions) {
      const auto* change = std::get_if<SetTrialState>(&action);
      if (change != nullptr) waiting_ += stamped(clock_, change_text(state, *change));
    }
  }

  void update(const State& state, double now_s) override {
    if (clock_.monotonic_s() >= next_flush_s_) flush();
    const Outlook& outlook = outlook_.newest(state, now_s);
    if (clock_.monotonic_s() < next_s_) return;
    next_s_ = clock_.monotonic_s() + timing_.plain_progress_s;
    const Overview overview = overview_of(state);
    notice(fmt::format("progress: {}, {:.0f} % of the work, about {} left, {}", counts_text(overview),
                       100 * overview.done_share, duration_text(outlook.left_s), utilisation_text(state.nodes)));
    for (const Trial& trial : state.trials) {
      if (trial.run) notice("  " + running_text(trial));
    }
    if (!outlook.next.empty()) notice(outlook.next);
  }

  void close() override {
    flush();
    out_.drain();
  }

 private:
  /// Trials of milliseconds change more often than anybody reads, and mpirun passes on every single write.
  void flush() {
    if (!waiting_.empty()) out_.write(std::exchange(waiting_, {}));
    next_flush_s_ = clock_.monotonic_s() + timing_.redraw_s;
  }

  BackgroundWriter out_;
  Timing timing_;
  const common::Clock& clock_;
  OutlookNote outlook_;
  double next_s_;
  std::string waiting_;
  double next_flush_s_ = 0;
};

class LiveDisplay final : public Display {
 public:
  LiveDisplay(std::FILE* out, std::string study, std::size_t columns, const Timing& timing, const common::Clock& clock,
              OutlookNote outlook)
      : out_(out),
        study_(std::move(study)),
        columns_(columns),
        timing_(timing),
        clock_(clock),
        outlook_(std::move(outlook)) {}

  void notice(const std::string& text) override { out_.write(erased() + stamped(clock_, text)); }

  /// Only trouble gets a lasting line; what goes well is seen in the view and in the table at the end.
  void changed(const State& state, const Actions& actions) override {
    for (const Action& action : actions) {
      const auto* change = std::get_if<SetTrialState>(&action);
      const bool trouble = change != nullptr && !change->reason.empty() && change->state != TrialState::kSucceeded;
      if (trouble) notice(change_text(state, *change));
    }
  }

  void update(const State& state, double now_s) override {
    const double drawn_s = clock_.monotonic_s();
    const Outlook& outlook = outlook_.newest(state, now_s);
    if (!out_.idle() || (num_drawn_ > 0 && drawn_s < next_draw_s_)) return;
    next_draw_s_ = drawn_s + timing_.redraw_s;
    std::string text = erased();
    // One column less than there is: a full line would wrap and spoil the count of lines.
    for (const std::string& line : live_lines(state, study_, outlook, columns_ - 1, kMaxRunningLines)) {
      text += line + "\n";
      ++num_drawn_;
    }
    out_.write(text);
  }

  void close() override {
    out_.write(erased());
    out_.drain();
  }

 private:
  /// Escape sequence that takes away what was drawn last and leaves the cursor there.
  std::string erased() {
    const std::size_t drawn = std::exchange(num_drawn_, 0);
    return drawn == 0 ? std::string() : fmt::format("\x1b[{}A\r\x1b[J", drawn);
  }

  BackgroundWriter out_;
  std::string study_;
  std::size_t columns_;
  Timing timing_;
  const common::Clock& clock_;
  OutlookNote outlook_;
  std::size_t num_drawn_ = 0;
  double next_draw_s_ = 0;
};

}  // namespace

std::unique_ptr<Display> make_display(std::FILE* out, const std::string& study, std::size_t live_columns,
                                      const Timing& timing, const common::Clock& clock,
                                      const std::filesystem::path& outlook_file) {
  constexpr std::size_t kFewestColumns = 20;
  OutlookNote outlook(outlook_file, timing, clock);
  if (live_columns < kFewestColumns) return std::make_unique<PlainDisplay>(out, timing, clock, std::move(outlook));
  return std::make_unique<LiveDisplay>(out, study, live_columns, timing, clock, std::move(outlook));
}

std::string change_text(const State& state, const SetTrialState& change) {
  const auto found = state.positions.find(change.trial);
  std::string text = change.trial.brief();
  if (found == state.positions.end()) return text;
  const Trial& trial = state.trials[found->second];
  const std::string label = trial.cell.label();
  if (!label.empty()) text += " " + label;
  text += fmt::format(": {}", results::to_name(change.state));
  if (change.state == TrialState::kRunning) text += fmt::format(" (attempt {})", trial.num_attempts);
  if (change.state == TrialState::kSucceeded && trial.progress.fid)
    text += fmt::format(", FID {:.2f}", *trial.progress.fid);
  if (!change.reason.empty()) text += ": " + change.reason;
  return text;
}

}  // namespace ditscale::orchestrator
