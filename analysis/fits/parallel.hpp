#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace ditscale::analysis {

/// Calls work(i) for each i below `count` on all processors, and `make_worker()` once per thread for the callable
/// `work`, which so can have buffers of its own. Which thread takes which i is left open: results must not depend on
/// it. The first exception is thrown on.
template <typename MakeWorker>
void parallel_for(std::size_t count, const MakeWorker& make_worker) {
  const std::size_t num_threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, count / 8 + 1);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      auto work = make_worker();
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < num_threads; ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ditscale::analysis
