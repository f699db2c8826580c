#include "worker/training/batch_loader.hpp"

#include <utility>

namespace ditscale::worker {

namespace {

/// Batches kept ready: enough to ride out a slow read, few enough to be no matter for memory.
constexpr std::size_t kAhead = 4;

void pin(Batch& batch) {
  for (torch::Tensor* tensor : {&batch.x0, &batch.labels, &batch.t, &batch.noise, &batch.context}) {
    if (tensor->defined()) *tensor = tensor->pin_memory();
  }
}

}  // namespace

BatchLoader::BatchLoader(const BatchSource& source, const BatchSequence& sequence, torch::Device device)
    : source_(source), sequence_(sequence), device_(device) {
  if (source.on_disk() || device.is_cuda()) thread_ = std::thread([this] { read_ahead(); });
}

BatchLoader::~BatchLoader() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

BatchLoader::Prepared BatchLoader::prepare(std::int64_t first) const {
  Prepared prepared{first, {}, nullptr};
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
    changed_.wait(lock, [this] { return stop_ || (next_ >= 0 && ready_.size() < kAhead); });
    if (stop_) return;
    const std::int64_t first = next_;
    lock.unlock();
    Prepared prepared = prepare(first);
    lock.lock();
    if (next_ != first) continue;  // another place was asked for meanwhile
    next_ = sequence_.after(first);
    ready_.push_back(std::move(prepared));
    changed_.notify_all();
  }
}

Batch BatchLoader::batch(std::int64_t first) {
  if (!thread_.joinable()) return source_.batch(first, sequence_.micro_batch);
  std::unique_lock lock(mutex_);
  const std::int64_t coming = ready_.empty() ? next_ : ready_.front().first;
  if (coming != first) {
    ready_.clear();
    next_ = first;
    changed_.notify_all();
  }
  changed_.wait(lock, [this] { return !ready_.empty(); });
  Prepared prepared = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  if (prepared.error) {
    next_ = -1;  // what follows is asked for anew
    ready_.clear();
    std::rethrow_exception(prepared.error);
  }
  return std::move(prepared.batch);
}

}  // namespace ditscale::worker
