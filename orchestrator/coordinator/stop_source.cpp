#include "orchestrator/coordinator/stop_source.hpp"

#include <csignal>
#include <utility>

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&set, signal);
  // A signal that is blocked comes even where it is ignored.
  struct sigaction hang_up {};
  if (::sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler == SIG_IGN) sigdelset(&set, SIGHUP);
  return set;
}

void StopSource::block_signals() {
  const sigset_t set = stop_signals();
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) throw common::errno_error("sigprocmask", "the stop signals");
}

StopSource::StopSource(bool listen_to_launcher)
    : has_launcher_(listen_to_launcher), listen_to_launcher_(listen_to_launcher) {
  const sigset_t set = stop_signals();
  signals_ = common::FileDescriptor(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_.valid()) throw common::errno_error("signalfd", "the stop signals");
  if (listen_to_launcher_) ::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
}

std::optional<StopRequested> StopSource::poll() {
  const bool signalled = read_signal();
  const auto word = read_word();
  if (!signalled && !word) return std::nullopt;
  const bool again = std::exchange(has_wished_, true);
  // A launcher hears the same signals, and judges them: it says "stop" for one that came here too.
  const bool at_once = word == "kill" || (again && signalled && !has_launcher_);
  if (again && !at_once) return std::nullopt;
  return StopRequested{at_once};
}

bool StopSource::read_signal() {
  signalfd_siginfo info{};
  return ::read(signals_.get(), &info, sizeof info) == sizeof info;
}

std::optional<std::string> StopSource::read_word() {
  if (!listen_to_launcher_) return std::nullopt;
  char chunk[64];
  const ssize_t got = ::read(STDIN_FILENO, chunk, sizeof chunk);
  if (got == 0) listen_to_launcher_ = false;  // the launcher is gone; so will we be
  if (got > 0) partial_word_.append(chunk, static_cast<std::size_t>(got));
  const std::size_t end = partial_word_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string word = partial_word_.substr(0, end);
  partial_word_.erase(0, end + 1);
  return word;
}

}  // namespace ditscale::orchestrator
