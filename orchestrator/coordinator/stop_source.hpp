#pragma once

#include <csignal>
#include <optional>
#include <string>

#include "common/file_descriptor.hpp"
#include "orchestrator/coordinator/events.hpp"

namespace ditscale::orchestrator {

/// Signals that are wishes to stop: SIGINT, SIGTERM, SIGUSR1 and SIGUSR2, and SIGHUP unless this process was started to
/// ignore it (nohup).
[[nodiscard]] sigset_t stop_signals();

/// Where wishes to stop come from: words of the launcher on standard input ("stop", "kill"), and signals, which are
/// read instead of handled. The first wish saves and stops; the word "kill" kills, as does a second signal where there
/// is no launcher.
class StopSource {
 public:
  /// Blocks those signals in this thread and those it starts; call it before MPI starts threads of its own.
  static void block_signals();

  /// `listen_to_launcher`: standard input is the launcher's pipe.
  explicit StopSource(bool listen_to_launcher);
  /// A new wish, if there is one.
  [[nodiscard]] std::optional<StopRequested> poll();

 private:
  [[nodiscard]] bool read_signal();
  [[nodiscard]] std::optional<std::string> read_word();

  common::FileDescriptor signals_;
  bool has_launcher_;
  bool listen_to_launcher_;
  std::string partial_word_;
  bool has_wished_ = false;
};

}  // namespace ditscale::orchestrator
