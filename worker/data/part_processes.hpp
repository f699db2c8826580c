#pragma once

#include "worker/data/prepare.hpp"
#include "worker/data/prepare_progress.hpp"

namespace ditscale::worker {

/// Descriptor under which a process finds the pipe for its events.
inline constexpr int kPartEventFd = 3;

/// Runs `options.processes` times `options.part_command` until each has ended, counting their events. False when a stop
/// was asked for: they are ended then. Throws SystemError when one fails, with the end of what it said; the others are
/// ended.
[[nodiscard]] bool run_part_processes(const PrepareOptions& options, const PartsPaths& paths,
                                      PrepareProgress& progress);

}  // namespace ditscale::worker
