#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include <unistd.h>

namespace ditscale::analysis {

/// While it lives, a line on a terminal that says what takes so long, with the seconds that went by; gone at the end.
/// Nothing where `fd` is no terminal.
class Waiting {
 public:
  explicit Waiting(std::string what, int fd = STDERR_FILENO);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  void show();

  std::string what_;
  int fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace ditscale::analysis
