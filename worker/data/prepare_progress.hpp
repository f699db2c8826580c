#pragma once

#include <cstdint>

#include "common/clock.hpp"

namespace ditscale::worker {

/// Tells how far a preparation is, on standard error: a line that is written over on a terminal, a new one now and then
/// elsewhere.
class PrepareProgress {
 public:
  PrepareProgress(std::int64_t num_images, std::int64_t done_before);
  ~PrepareProgress();
  PrepareProgress(const PrepareProgress&) = delete;
  PrepareProgress& operator=(const PrepareProgress&) = delete;

  /// One more image is done.
  void count(bool damaged);

 private:
  void show();

  common::SystemClock clock_;
  std::int64_t num_images_, done_before_;
  std::int64_t done_ = 0, damaged_ = 0;
  bool terminal_;
  bool shown_ = false;
  double start_s_, next_s_;
};

}  // namespace ditscale::worker
