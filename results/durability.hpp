#pragma once

namespace ditscale::results {

/// Which transactions outlive a power failure, on a local filesystem. On a shared one all do, whatever is chosen:
/// others go on there. The death of a process costs none.
enum class Durability {
  /// Every one, once its call has returned.
  kEach,
  /// All up to a point within the last half a minute, so that no call waits for the disk. For a writer whose records
  /// can
  /// be made again from files.
  kPrefix,
};

}  // namespace ditscale::results
