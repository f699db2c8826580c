#pragma once

#include <cstdint>
#include <filesystem>

namespace ditscale::results {

struct Merged {
  std::int64_t new_trials = 0;
  /// Trials that both have.
  std::int64_t shared_trials = 0;
  std::int64_t new_attempts = 0;
  /// Attempts that the target had in part.
  std::int64_t continued_attempts = 0;
};

/// Adds everything of `source` to `target` (created when absent), in one transaction. A trial that both have keeps all
/// attempts of both: attempts with the same host, start and devices are the same one, of which the copy that has come
/// further stays. Where attempts of both get in each other's way they are numbered by their start, so that the newest
/// has the highest number, in whatever order files are merged. Of a shared trial's states the one nearer to its end
/// stays (succeeded, else the newer), with its decisions and no others. So merging the same file again adds what has
/// come since, and nothing else. `source` is not changed; one of an older schema, or in a folder that cannot be
/// written, is read into memory. ConfigError when a coordinator works on `target`.
Merged merge_database(const std::filesystem::path& source, const std::filesystem::path& target);

}  // namespace ditscale::results
