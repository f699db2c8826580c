#pragma once

#include <optional>

#include <sys/types.h>

namespace ditscale::orchestrator {

/// Ends this process with `signal` when its parent ends. Ends it at once when the parent is gone already: it is not
/// `first_parent` then, which it had at its start (and which may be process 1, in a container), or it is `launcher`,
/// which collects orphans.
void end_with_parent(int signal, pid_t first_parent, std::optional<pid_t> launcher);

}  // namespace ditscale::orchestrator
