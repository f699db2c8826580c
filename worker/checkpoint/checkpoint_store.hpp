#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/trial_paths.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"

namespace ditscale::worker {

/// A checkpoint that its manifest vouches for.
struct StoredCheckpoint {
  std::int64_t step = 0;
  std::filesystem::path file;
  std::int64_t bytes = 0;
  std::string digest;
};

/// The checkpoints of one trial. A file is written in the background under a temporary name, closed, fsynced, renamed,
/// read back for its digest, and only then vouched for by a manifest; so whatever is killed when, a manifest never
/// names a file that is not whole.
class CheckpointStore {
 public:
  /// What became of a save: reported once it is durable, on the saving thread.
  using OnSaved = std::function<void(const StoredCheckpoint&, double seconds)>;

  /// `keep` newest checkpoints stay. Looks and touches nothing: anyone may open a trial's store to read.
  CheckpointStore(common::TrialPaths paths, std::int64_t keep);
  /// Waits for the writer; an error it met is lost with it: call wait() to learn of it.
  ~CheckpointStore();
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;

  /// Makes the folder and removes what killed writers left half done in the trial's folders. For the process that holds
  /// the trial's lock.
  void prepare();
  /// Starts writing; waits for the save before first. Throws what that one met (disk full).
  void save(Snapshot snapshot, OnSaved on_saved);
  /// Returns when nothing is being written. Throws what the writer met.
  void wait();

  /// Checkpoints with a readable manifest, newest first; digests not checked yet.
  [[nodiscard]] std::vector<StoredCheckpoint> list() const;
  /// The newest whose size and digest are right; `on_refused(file, reason)` hears of each newer one that is not.
  [[nodiscard]] std::optional<StoredCheckpoint> newest_valid(
      const std::function<void(const std::string& file, const std::string& reason)>& on_refused) const;

 private:
  void write(const Snapshot& snapshot, const OnSaved& on_saved);
  /// Removes what lies before the newest `keep_` up to `step`; damaged files of later steps do not push good ones out.
  void remove_old(std::int64_t step);

  common::TrialPaths paths_;
  std::int64_t keep_;
  std::thread writer_;
  std::exception_ptr error_;
};

}  // namespace ditscale::worker
