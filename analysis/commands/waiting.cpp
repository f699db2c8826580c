#include "analysis/commands/waiting.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace ditscale::analysis {

namespace {

constexpr std::chrono::seconds kBetweenLines{1};

/// Progress that cannot be shown is not worth an error.
void put(int fd, std::string_view text) { [[maybe_unused]] const auto ignored = ::write(fd, text.data(), text.size()); }

}  // namespace

Waiting::Waiting(std::string what, int fd) : what_(std::move(what)), fd_(fd) {
  if (::isatty(fd_) != 0) thread_ = std::thread([this] { show(); });
}

Waiting::~Waiting() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Waiting::show() {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  std::unique_lock lock(mutex_);
  do {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count();
    put(fd_, fmt::format("\r{} … {} s", what_, seconds));
  } while (!changed_.wait_for(lock, kBetweenLines, [this] { return over_; }));
  put(fd_, "\r\x1b[K");
}

}  // namespace ditscale::analysis
