#pragma once

namespace ditscale::orchestrator {

/// Kills (SIGKILL) every child of this process with its whole process group, and theirs, by what /proc shows now.
/// What is orphaned by that becomes a child of a subreaper: call again until there are no children.
void kill_children();

/// Whether a child of this process, or of one of those and so on, runs the same program.
[[nodiscard]] bool has_descendant_like_self();

}  // namespace ditscale::orchestrator
