#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "worker/torch.hpp"
#include "worker/training/batch_source.hpp"

namespace ditscale::worker {

/// Which batches one process asks for, one after the other: `micro_batch` images at a time of its `local_batch`, then
/// on by `global_batch`.
struct BatchSequence {
  /// Of this process within the global batch.
  std::int64_t offset = 0;
  std::int64_t micro_batch = 1;
  std::int64_t local_batch = 1;
  std::int64_t global_batch = 1;

  [[nodiscard]] std::int64_t after(std::int64_t first) const {
    const std::int64_t at = (first - offset) % global_batch;
    return at + micro_batch < local_batch ? first + micro_batch : first - at + global_batch;
  }
};

/// Hands out the batches of a source. Where they come from the disk or go to a GPU, a thread prepares the next ones
/// (for a GPU in pinned memory, from which copies need no waiting) while the model works; elsewhere they are made when
/// asked for. What a batch holds is the same. Called by one thread.
class BatchLoader {
 public:
  /// `source` must outlive it.
  BatchLoader(const BatchSource& source, const BatchSequence& sequence, torch::Device device);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// The batch of `sequence` that starts at `first`. Quick when it follows the one before. Throws what the source does.
  [[nodiscard]] Batch batch(std::int64_t first);

 private:
  struct Prepared {
    std::int64_t first;
    Batch batch;
    std::exception_ptr error;
  };

  [[nodiscard]] Prepared prepare(std::int64_t first) const;
  void read_ahead();

  const BatchSource& source_;
  BatchSequence sequence_;
  torch::Device device_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Prepared> ready_;
  /// Next batch to prepare; negative: none was asked for yet.
  std::int64_t next_ = -1;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ditscale::worker
