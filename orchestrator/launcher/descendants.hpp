#pragma once

namespace ditscale::orchestrator {

/// Kills (SIGKILL) every child of this process with its whole process group, and theirs, by what /proc shows now.
/// What is orphaned by that becomes a child of a subreaper: call again until there are no children.
void kill_children();

}  // namespace ditscale::orchestrator
