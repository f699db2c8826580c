#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/child_process.hpp"
#include "orchestrator/agent/event_pipe.hpp"
#include "orchestrator/agent/trainer_command.hpp"
#include "orchestrator/messages/messages.hpp"

namespace ditscale::orchestrator {

/// One running attempt, a process or a gang of them, as the agent that started it sees it. It lives in the thread that
/// started it: the trainer is told to stop (SIGTERM) when that thread ends.
class Trainer {
 public:
  /// Throws SystemError when the program cannot be started.
  [[nodiscard]] static Trainer start(const StartMessage& order, const TrainerSettings& settings, double now_s);

  [[nodiscard]] bool is(const common::TrialId& trial, common::AttemptNumber attempt) const {
    return order_.trial == trial && order_.attempt == attempt;
  }
  [[nodiscard]] const common::TrialId& trial() const { return order_.trial; }
  [[nodiscard]] common::AttemptNumber attempt() const { return order_.attempt; }
  /// Readable once the trainer has ended; -1 where the kernel cannot tell.
  [[nodiscard]] int end_fd() const { return child_.end().get(); }
  /// The pipe to wait for; -1 once the trainer has closed its end.
  [[nodiscard]] int event_fd() const {
    if (pipe_closed_) return -1;
    return gang_events_ ? gang_events_->read_end() : child_.events().get();
  }
  /// Reads what is in the pipe, a bounded part of it when it fills as fast. Returns how many bytes that was.
  std::size_t read(double now_s);
  /// Whole event lines that were read since the last call.
  [[nodiscard]] std::string take_lines();
  /// So many seconds do not count as silence: it could not speak, or not be heard.
  void excuse(double seconds) { last_word_s_ += seconds; }
  /// Kills the trainer when it was silent for too long.
  void watch_silence(double now_s);
  /// Asks it to save and end, or kills its whole group.
  void stop(bool kill);
  /// Asks it to save and end, and does not wait for that.
  void leave();
  /// How it ended, with what it said last; empty while it runs.
  [[nodiscard]] std::optional<EndedMessage> poll(double now_s);

 private:
  Trainer(StartMessage order, double silence_limit_s, common::ChildProcess child, std::optional<EventPipe> gang_events,
          double now_s)
      : order_(std::move(order)),
        silence_limit_s_(silence_limit_s),
        child_(std::move(child)),
        gang_events_(std::move(gang_events)),
        last_word_s_(now_s) {}

  StartMessage order_;
  double silence_limit_s_;
  common::ChildProcess child_;
  std::optional<EventPipe> gang_events_;
  double last_word_s_;
  bool has_spoken_ = false;
  std::optional<double> silent_s_;
  std::string unsent_;
  bool pipe_closed_ = false;
};

/// The last `count` lines of a text file joined by " | ", without control characters; empty when there is none.
[[nodiscard]] std::string last_lines(const std::filesystem::path& file, int count);

}  // namespace ditscale::orchestrator
