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
  /// Opens `file` for appending, continuing its numbers. `pipe` is the agent's descriptor or -1. Throws SystemError.
  EventLog(const std::filesystem::path& file, int pipe);

  /// Appends one event, from any thread; checkpoints, evaluations and outcomes are on the disk (fsync) when this
  /// returns. Throws SystemError (disk full).
  void append(const std::string& kind, common::Json body);

 private:
  void send_to_pipe(const std::string& line) noexcept;

  std::mutex mutex_;
  std::string file_;
  common::FileDescriptor fd_;
  int pipe_;
  std::int64_t next_number_ = 1;
};

}  // namespace ditscale::worker
