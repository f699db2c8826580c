#include "orchestrator/view/background_writer.hpp"

#include <utility>

#include <fmt/format.h>

namespace ditscale::orchestrator {

namespace {

constexpr std::size_t kMostWaiting_bytes = std::size_t{1} << 20;

}  // namespace

BackgroundWriter::BackgroundWriter(std::FILE* out) : out_(out), thread_([this] { run(); }) {}

BackgroundWriter::~BackgroundWriter() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundWriter::write(const std::string& text) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() > kMostWaiting_bytes) {
      ++num_left_out_;
      return;
    }
    waiting_ += text;
  }
  changed_.notify_all();
}

bool BackgroundWriter::idle() {
  const std::scoped_lock lock(mutex_);
  return waiting_.empty() && !writing_;
}

void BackgroundWriter::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !writing_; });
}

void BackgroundWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::string text = std::exchange(waiting_, {});
    if (const std::size_t count = std::exchange(num_left_out_, 0); count > 0)
      text += fmt::format("… and {} more messages, which nobody read in time\n", count);
    writing_ = true;
    lock.unlock();
    std::fwrite(text.data(), 1, text.size(), out_);
    std::fflush(out_);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

}  // namespace ditscale::orchestrator
