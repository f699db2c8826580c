#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "worker/data/finish_store.hpp"
#include "worker/data/prepare_plan.hpp"

namespace ditscale::worker {

/// How a store is prepared; none of it changes the store.
struct PrepareOptions {
  /// 1: in this process. More: processes of `program`, each of which calls fill_part with the same settings.
  int processes = 1;
  /// Program and arguments of such a process.
  std::vector<std::string> part_command;
  /// A damaged image leaves no store; its shard is done again by the next call.
  bool strict = false;
  /// Asked now and then; true ends the work, which can be gone on with later.
  std::function<bool()> stop = [] { return false; };
};

struct PrepareResult {
  StoreFacts facts;
  /// "path: reason", in the order of the paths. Also in "<out>.damaged.txt".
  std::vector<std::string> damaged;
  /// The store was there before: nothing was done.
  bool was_there = false;
  /// Images decoded now (a resumed preparation decodes the rest), and the seconds that took.
  std::int64_t num_decoded = 0;
  double seconds = 0;
};

/// Makes the store `settings.out`, or goes on where an earlier call was stopped or killed. The store appears whole or
/// not at all, and is the same for any number of processes and interruptions. Empty when `stop` became true.
/// Throws UsageError and ConfigError for what cannot be, SystemError when the disk or a process fails, CorruptData for
/// damaged images under `strict`.
[[nodiscard]] std::optional<PrepareResult> prepare_store(const PrepareSettings& settings,
                                                         const PrepareOptions& options);

/// One of several processes: fills shards of a preparation that another process began, and writes a byte to `event_fd`
/// for each image, '.' or 'x' for a damaged one.
void fill_part(const PrepareSettings& settings, int event_fd);

}  // namespace ditscale::worker
