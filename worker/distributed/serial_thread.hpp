#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace ditscale::worker {

/// A thread that does one job after the other, in the order in which it was given them. Called by one thread.
class SerialThread {
 public:
  using Job = std::function<void()>;

  SerialThread() : thread_([this] { work(); }) {}
  /// Waits for the job at work; those behind it are dropped.
  ~SerialThread();
  SerialThread(const SerialThread&) = delete;
  SerialThread& operator=(const SerialThread&) = delete;

  void start(Job job);
  /// Returns when every job is done. Throws what the first that failed threw; those behind it were dropped.
  void wait();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::exception_ptr error_;
  bool busy_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ditscale::worker
