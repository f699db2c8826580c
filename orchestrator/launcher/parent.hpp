#pragma once

#include <optional>

#include <sys/types.h>

namespace ditscale::orchestrator {

/// Ends this process with `signal` when its parent ends. Ends it at once when the parent is gone already: it is init
/// then, or `launcher`, which collects orphans.
void end_with_parent(int signal, std::optional<pid_t> launcher);

}  // namespace ditscale::orchestrator
