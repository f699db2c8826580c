#pragma once

#include <sys/types.h>

namespace ditscale::common {

/// What a forked child does to itself before its program starts. Part of ChildProcess, not for others.
/// Only async-signal-safe calls and no allocation: the parent may have other threads, and lends its memory and stack.
/// All descriptors named here stand above 2 and above `event_to`, so that no step overwrites another's.
struct ChildSetup {
  pid_t parent = -1;
  int parent_death_signal = 0;
  int null_fd = -1;
  int log_fd = -1;
  int error_log_fd = -1;
  /// The event pipe's write end and the number the child shall know it by; -1 when there is none.
  int event_from = -1;
  int event_to = -1;
  char* const* argv = nullptr;
  char* const* envp = nullptr;

  /// Which step failed, for the parent's message.
  enum class Step : int { kStart, kSession, kDeathSignal, kOutput, kEventPipe };
  struct Failure {
    Step step = Step::kStart;
    /// An errno; 0: none.
    int code = 0;
  };
  /// The parent's, whose memory the child borrows.
  Failure* failure = nullptr;

  /// Never returns: becomes the program, or reports a Failure and exits with 127. The caller has blocked all signals.
  [[noreturn]] void run() const;

 private:
  [[noreturn]] void fail(Step step) const;
};

}  // namespace ditscale::common
