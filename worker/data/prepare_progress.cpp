#include "worker/data/prepare_progress.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace ditscale::worker {

namespace {

constexpr double kTerminalEvery_s = 0.5;
constexpr double kFileEvery_s = 30;

}  // namespace

PrepareProgress::PrepareProgress(std::int64_t num_images, std::int64_t done_before)
    : num_images_(num_images),
      done_before_(done_before),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_s_(clock_.monotonic_s()),
      next_s_(start_s_ + (terminal_ ? kTerminalEvery_s : kFileEvery_s)) {
  if (done_before > 0) fmt::print(stderr, "going on after {} of {} images\n", done_before, num_images);
}

PrepareProgress::~PrepareProgress() {
  if (terminal_ && shown_) std::fputc('\n', stderr);
}

void PrepareProgress::count(bool damaged) {
  ++done_;
  damaged_ += damaged ? 1 : 0;
  if (clock_.monotonic_s() >= next_s_) show();
}

void PrepareProgress::show() {
  const double now_s = clock_.monotonic_s();
  const double images_per_s = static_cast<double>(done_) / (now_s - start_s_);
  const std::int64_t left = num_images_ - done_before_ - done_;
  fmt::print(stderr, "{}{} of {} images, {:.0f} images/s, {} damaged, {:.0f} s left{}", terminal_ ? "\r\033[K" : "",
             done_before_ + done_, num_images_, images_per_s, damaged_, static_cast<double>(left) / images_per_s,
             terminal_ ? "" : "\n");
  std::fflush(stderr);
  shown_ = true;
  next_s_ = now_s + (terminal_ ? kTerminalEvery_s : kFileEvery_s);
}

}  // namespace ditscale::worker
