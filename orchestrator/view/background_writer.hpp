#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

namespace ditscale::orchestrator {

/// Writes text from a thread of its own: whoever reads it (a pager, a stopped terminal) may stall, and the study must
/// not wait for that.
class BackgroundWriter {
 public:
  /// `out` is flushed after each text, and must outlive this.
  explicit BackgroundWriter(std::FILE* out);
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;
  /// Waits until all is written.
  ~BackgroundWriter();

  /// Never waits. Where too much is unwritten already, the text is left out, which is said once there is room again.
  void write(const std::string& text);
  /// True when all was taken by the reader.
  [[nodiscard]] bool idle();
  /// Waits until all is written.
  void drain();

 private:
  void run();

  std::FILE* out_;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// What the thread has not begun to write.
  std::string waiting_;
  std::size_t num_left_out_ = 0;
  bool writing_ = false;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace ditscale::orchestrator
