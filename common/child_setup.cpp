#include "common/child_setup.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ditscale::common {

namespace {

/// Descriptors that the parent's libraries left open must not keep sockets, files or locks alive in the child.
void close_others_on_exec() {
#ifdef SYS_close_range
  constexpr unsigned kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC, Linux 5.11
  if (::syscall(SYS_close_range, 3U, ~0U, kCloseOnExec) == 0) return;
#endif
  constexpr int kUsualLimit = 4096;
  for (int fd = 3; fd < kUsualLimit; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// Handlers of the parent must not run here, and signals that it ignores must not stay ignored.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
}

}  // namespace

void ChildSetup::fail(Step step) const {
  *failure = {step, errno};
  ::_exit(127);
}

void ChildSetup::run() const {
  reset_signals();
  if (::setsid() < 0) fail(Step::kSession);
  if (::prctl(PR_SET_PDEATHSIG, parent_death_signal) != 0) fail(Step::kDeathSignal);
  if (::getppid() != parent) ::_exit(127);  // the parent died before the signal was set
  if (::dup2(null_fd, STDIN_FILENO) < 0) fail(Step::kOutput);
  if (::dup2(log_fd, STDOUT_FILENO) < 0 || ::dup2(error_log_fd, STDERR_FILENO) < 0) fail(Step::kOutput);
  close_others_on_exec();
  if (event_to >= 0 && ::dup2(event_from, event_to) < 0) fail(Step::kEventPipe);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // a parent-death signal that came meanwhile ends the child here
  ::execvpe(argv[0], argv, envp);
  fail(Step::kStart);
}

}  // namespace ditscale::common
