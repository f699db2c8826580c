#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "common/event.hpp"
#include "common/file_descriptor.hpp"

namespace ditscale::worker {

/// Opens the agent's named pipe for writing. Throws SystemError when it is none, or when nobody reads it.
[[nodiscard]] common::FileDescriptor open_event_pipe(const std::filesystem::path& pipe);

/// Where a trainer's events go: appended to events.jsonl, which is the truth, and written to the agent's pipe, which is
/// the fast path.
class EventLog {
 public:
  /// Between an event and the sign of life that follows it. Far less than the agent waits before it takes a trainer to
  /// hang.
  static constexpr double kQuiet_s = 60;

  /// Opens `file` for appending, continuing its numbers. `pipe` is the agent's descriptor or -1. Throws SystemError.
  EventLog(const std::filesystem::path& file, int pipe, double quiet_s = kQuiet_s);

  /// Appends one event, from any thread; checkpoints, evaluations and outcomes are on the disk (fsync) when this
  /// returns. Throws SystemError (disk full).
  void append(const std::string& kind, common::Json body);
  /// Call it as often as there is progress: appends an `alive` event when the last event is older than `quiet_s`.
  void say_alive(common::Json body);

 private:
  void write(const std::string& kind, common::Json body);
  void send_to_pipe(const std::string& line) noexcept;

  std::mutex mutex_;
  std::string file_;
  common::FileDescriptor fd_;
  int pipe_;
  double quiet_s_;
  double last_word_s_ = 0;
  std::int64_t next_number_ = 1;
};

}  // namespace ditscale::worker
