#include "worker/training/batch_loader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <ATen/Parallel.h>

namespace ditscale::worker {

namespace {

/// Batches prepared beyond one for each thread: enough to ride out a slow read, few enough to be no matter for memory.
constexpr std::size_t kReserve = 3;

/// A batch is made on one thread (its loops are not compiled with OpenMP): so batches, not images, are shared out.
std::size_t num_threads(const BatchSource& source, torch::Device device) {
  if (device.is_cuda()) return static_cast<std::size_t>(std::max(at::get_num_threads(), 1));
  return source.on_disk() ? 1 : 0;
}

/// Copies on this thread alone: `pin_memory` would give each loader's thread a team of all threads.
torch::Tensor pinned(const torch::Tensor& values) {
  const torch::Tensor source = values.contiguous();
  torch::Tensor copy = torch::empty(source.sizes(), source.options().pinned_memory(true));
  std::memcpy(copy.data_ptr(), source.data_ptr(), source.nbytes());
  return copy;
}

void pin(Batch& batch) {
  for (torch::Tensor* tensor : {&batch.x0, &batch.labels, &batch.t, &batch.noise, &batch.context}) {
    if (tensor->defined()) *tensor = pinned(*tensor);
  }
}

}  // namespace

BatchLoader::BatchLoader(const BatchSource& source, const BatchSequence& sequence, torch::Device device,
                         std::optional<std::size_t> threads)
    : source_(source), sequence_(sequence), device_(device), ahead_(0) {
  const std::size_t count = threads.value_or(num_threads(source, device));
  ahead_ = count + kReserve;
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { read_ahead(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

BatchLoader::Prepared BatchLoader::prepare(std::int64_t first) const {
  Prepared prepared;
  try {
    prepared.batch = source_.batch(first, sequence_.micro_batch);
    if (device_.is_cuda()) pin(prepared.batch);
  } catch (...) {
    prepared.error = std::current_exception();
  }
  return prepared;
}

void BatchLoader::read_ahead() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || (next_ >= 0 && ready_.size() + in_work_ < ahead_); });
    if (stop_) return;
    const std::int64_t first = std::exchange(next_, sequence_.after(next_)), course = course_;
    ++in_work_;
    lock.unlock();
    Prepared prepared = prepare(first);
    lock.lock();
    --in_work_;
    if (course == course_) ready_.emplace(first, std::move(prepared));
    changed_.notify_all();
  }
}

void BatchLoader::restart(std::int64_t first) {
  ++course_;
  ready_.clear();
  next_ = expected_ = first;
  changed_.notify_all();
}

Batch BatchLoader::batch(std::int64_t first) {
  if (threads_.empty()) return source_.batch(first, sequence_.micro_batch);
  std::unique_lock lock(mutex_);
  if (expected_ != first) restart(first);
  changed_.wait(lock, [&] { return ready_.contains(first); });
  Prepared prepared = std::move(ready_.extract(first).mapped());
  if (prepared.error) {
    restart(-1);  // asked again, it is tried again
    std::rethrow_exception(prepared.error);
  }
  expected_ = sequence_.after(first);
  changed_.notify_all();
  return std::move(prepared.batch);
}

}  // namespace ditscale::worker
