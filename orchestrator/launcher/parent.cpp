#include "orchestrator/launcher/parent.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

void end_with_parent(int signal, pid_t first_parent, std::optional<pid_t> launcher) {
  if (::prctl(PR_SET_PDEATHSIG, signal) != 0) throw common::errno_error("prctl", "parent-death signal");
  const pid_t parent = ::getppid();
  if (parent != first_parent || parent == launcher) ::_exit(1);
}

}  // namespace ditscale::orchestrator
