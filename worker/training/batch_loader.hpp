#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

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

/// Hands out the batches of a source. Where they come from the disk or go to a GPU, threads prepare the next ones while
/// the model works: one beside a model on the processor, as many as LibTorch was given beside a GPU, then in pinned
/// memory, from which copies need no waiting. Elsewhere they are made when asked for. What a batch holds is the same.
/// Called by one thread.
class BatchLoader {
 public:
  /// `source` must outlive it. `threads`: other than said above; 0 prepares nothing ahead.
  BatchLoader(const BatchSource& source, const BatchSequence& sequence, torch::Device device,
              std::optional<std::size_t> threads = std::nullopt);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// The batch of `sequence` that starts at `first`. Quick when it follows the one before. Throws what the source does.
  [[nodiscard]] Batch batch(std::int64_t first);

 private:
  struct Prepared {
    Batch batch;
    std::exception_ptr error;
  };

  [[nodiscard]] Prepared prepare(std::int64_t first) const;
  void read_ahead();
  /// Forgets what was prepared; the next batch to prepare is `first`, or none when it is negative.
  void restart(std::int64_t first);

  const BatchSource& source_;
  BatchSequence sequence_;
  torch::Device device_;
  /// Most batches that are ready or in work.
  std::size_t ahead_;

  std::mutex mutex_;
  std::condition_variable changed_;
  /// By their first image.
  std::map<std::int64_t, Prepared> ready_;
  std::size_t in_work_ = 0;
  /// Counts restarts: what was begun before one is dropped.
  std::int64_t course_ = 0;
  /// Next batch to prepare, and the one that is expected to be asked for.
  std::int64_t next_ = -1, expected_ = -1;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ditscale::worker
