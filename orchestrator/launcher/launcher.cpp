#include "orchestrator/launcher/launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <limits>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/file_descriptor.hpp"
#include "orchestrator/agent/standstill.hpp"
#include "orchestrator/coordinator/stop_source.hpp"
#include "orchestrator/launcher/descendants.hpp"

namespace ditscale::orchestrator {

using common::errno_error;
using common::FileDescriptor;

namespace {

constexpr double kNever_s = std::numeric_limits<double>::infinity();
/// How often the end of something is looked for when no signal tells of it.
constexpr int kLook_ms = 200;
/// So long after a wish to stop, an mpirun without a process of the run on this host is killed.
constexpr double kNobodyHears_s = 10;
/// An end that takes longer is worth a word.
constexpr double kQuietEnd_s = 1.0;

sigset_t watched_signals() {
  sigset_t set = stop_signals();
  sigaddset(&set, SIGCHLD);
  return set;
}

/// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become_job(char* const* argv, int standard_input, pid_t launcher) {
  const bool ready = ::setsid() >= 0 && ::prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && ::getppid() == launcher &&
                     ::dup2(standard_input, STDIN_FILENO) >= 0;
  if (ready) {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execv(argv[0], argv);
  }
  ::_exit(127);
}

class Job {
 public:
  Job(const std::vector<std::string>& argv, const Timing& timing) : timing_(timing), standstill_(timing.standstill_s) {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) throw errno_error("prctl", "subreaper");
    const sigset_t set = watched_signals();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    signals_ = FileDescriptor(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!signals_.valid()) throw errno_error("signalfd", "the launcher's signals");
    start(argv);
  }

  JobEnd run() {
    while (!exit_code_) look();
    if (reap()) wait_for_orphans();
    return {*exit_code_, stop_signal_};
  }

 private:
  void start(const std::vector<std::string>& argv) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw errno_error("pipe", "to the coordinator");
    const FileDescriptor read_end(ends[0]);
    words_ = FileDescriptor(ends[1]);
    std::vector<std::string> arguments = argv;
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const pid_t self = ::getpid();
    job_ = ::fork();
    if (job_ < 0) throw errno_error("fork for", argv.front());
    if (job_ == 0) become_job(pointers.data(), read_end.get(), self);
  }

  /// Waits for a signal or for a while, and acts.
  void look() {
    pollfd signals{signals_.get(), POLLIN, 0};
    ::poll(&signals, 1, kLook_ms);
    const double still_s = standstill_.seconds_before(clock_.monotonic_s());
    kill_at_s_ += still_s;
    last_heard_s_ += still_s;
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGCHLD) pass_on_wish(static_cast<int>(info.ssi_signo));
    }
    reap();
    kill_where_nobody_hears();
    if (!exit_code_ && clock_.monotonic_s() >= kill_at_s_) {
      ::kill(job_, SIGKILL);
      kill_children();
    }
  }

  /// An mpirun that still waits for other nodes (one may be lost) has no coordinator yet, who would hear of the wish.
  void kill_where_nobody_hears() {
    if (num_wishes_ == 0 || exit_code_) return;
    const double now_s = clock_.monotonic_s();
    if (has_descendant_like_self()) last_heard_s_ = now_s;
    if (now_s < std::max(last_heard_s_, first_wish_s_) + kNobodyHears_s) return;
    ::kill(job_, SIGKILL);
    kill_children();
  }

  void pass_on_wish(int signal) {
    // A cancellation that is repeated, or comes when the time limit is near already, is no call to hurry.
    const bool hurries = signal != SIGUSR1 && signal != SIGUSR2;
    // A person's word: nothing shall follow in another allocation.
    if (signal == SIGUSR1 && stop_signal_ == SIGUSR2) stop_signal_ = signal;
    if (stop_signal_ && !hurries) return;
    if (!stop_signal_) stop_signal_ = signal;
    const bool first = ++num_wishes_ == 1;
    if (first) first_wish_s_ = clock_.monotonic_s();
    const std::string word = first ? "stop\n" : "kill\n";
    [[maybe_unused]] const ssize_t ignored = ::write(words_.get(), word.data(), word.size());
    if (!first && kill_at_s_ == kNever_s) kill_at_s_ = clock_.monotonic_s() + timing_.kill_wait_s;
  }

  /// Collects what has ended; true while there are children left.
  bool reap() {
    for (;;) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended < 0 && errno == EINTR) continue;
      if (ended <= 0) return ended == 0;
      if (ended == job_) exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
  }

  /// Trainers are told to stop by their agent's end; here they get the time to save.
  void wait_for_orphans() {
    // What mpirun started to reach other nodes may end a moment after it.
    const double speak_at_s = clock_.monotonic_s() + kQuietEnd_s;
    const int wishes_before = num_wishes_;
    while (reap() && clock_.monotonic_s() < speak_at_s && num_wishes_ == wishes_before) look();
    if (!reap()) return;
    std::fputs("waiting for trainers that lost their agent to save and end (Ctrl-C kills them)\n", stderr);
    kill_at_s_ = clock_.monotonic_s() + (num_wishes_ > 1 ? 0.0 : timing_.orphan_wait_s);
    while (reap()) {
      look();
      if (clock_.monotonic_s() >= kill_at_s_ || num_wishes_ > wishes_before) kill_children();
    }
  }

  Timing timing_;
  common::SystemClock clock_;
  Standstill standstill_;
  FileDescriptor signals_;
  /// Write end of rank 0's standard input.
  FileDescriptor words_;
  pid_t job_ = -1;
  std::optional<int> exit_code_;
  std::optional<int> stop_signal_;
  int num_wishes_ = 0;
  double first_wish_s_ = 0;
  double last_heard_s_ = 0;
  double kill_at_s_ = kNever_s;
};

}  // namespace

void hold_stop_signals() {
  const sigset_t set = stop_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

std::optional<int> await_stop(double seconds) {
  const sigset_t set = stop_signals();
  const auto whole = static_cast<std::time_t>(seconds);
  const timespec wait{whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
  const int signal = ::sigtimedwait(&set, nullptr, &wait);
  return signal > 0 ? std::optional<int>(signal) : std::nullopt;
}

JobEnd run_job(const std::vector<std::string>& argv, const Timing& timing) { return Job(argv, timing).run(); }

bool is_program(const std::filesystem::path& file) {
  std::error_code unreadable;
  return std::filesystem::is_regular_file(file, unreadable) && ::access(file.c_str(), X_OK) == 0;
}

std::string find_program(const std::string& program, const std::string& path) {
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const std::filesystem::path candidate = std::filesystem::path(path.substr(start, end - start)) / program;
    if (end > start && is_program(candidate)) return candidate.string();
    start = end + 1;
  }
  return {};
}

}  // namespace ditscale::orchestrator
