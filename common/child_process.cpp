#include "common/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child_setup.hpp"
#include "common/error.hpp"

namespace ditscale::common {

namespace {

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw errno_error("pipe", "for a child process");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<std::string> child_environment(const SpawnOptions& options) {
  const auto removed = [&](const std::string& name) {
    for (const std::string& prefix : options.removed_prefixes) {
      if (name.rfind(prefix, 0) == 0) return true;
    }
    return options.environment.count(name) != 0;
  };
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!removed(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : options.environment) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

FileDescriptor open_for_child(const std::filesystem::path& path, int flags) {
  FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!fd.valid()) throw errno_error("open", path.string());
  return fd;
}

/// The open file under a number above `lowest`, so that the child can move others below it without a clash.
FileDescriptor above(int lowest, FileDescriptor fd) {
  if (fd.get() > lowest) return fd;
  FileDescriptor moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest + 1));
  if (!moved.valid()) throw errno_error("duplicate a descriptor", "for a child process");
  return moved;
}

cpu_set_t cpu_set_of(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    DITSCALE_CHECK(cpu >= 0 && cpu < CPU_SETSIZE, "processor {} does not exist", cpu);
    CPU_SET(static_cast<unsigned>(cpu), &set);
  }
  return set;
}

std::string_view verb_of(ChildSetup::Step step) {
  switch (step) {
    case ChildSetup::Step::kSession:
      return "open a session for";
    case ChildSetup::Step::kDeathSignal:
      return "set the parent-death signal of";
    case ChildSetup::Step::kOutput:
      return "redirect the output of";
    case ChildSetup::Step::kEventPipe:
      return "hand the event pipe to";
    case ChildSetup::Step::kStart:
      break;
  }
  return "start";
}

/// Puts the calling thread on the processors of a child while it is split off, so that the child begins on them. If it
/// moved there itself, it would first wait behind whatever runs where its parent is.
class OnProcessors {
 public:
  OnProcessors(const std::vector<int>& cpus, const std::string& child) : moved_(!cpus.empty()) {
    if (!moved_) return;
    const cpu_set_t wanted = cpu_set_of(cpus);
    if (::sched_getaffinity(0, sizeof own_, &own_) != 0 || ::sched_setaffinity(0, sizeof wanted, &wanted) != 0)
      throw errno_error("choose the processors of", child);
  }
  OnProcessors(const OnProcessors&) = delete;
  OnProcessors& operator=(const OnProcessors&) = delete;
  ~OnProcessors() {
    if (moved_) ::sched_setaffinity(0, sizeof own_, &own_);
  }

 private:
  bool moved_;
  cpu_set_t own_{};
};

/// waitpid that is not stopped by signals.
pid_t wait_for(pid_t pid, int* raw) {
  pid_t ended = -1;
  do {
    ended = ::waitpid(pid, raw, 0);
  } while (ended < 0 && errno == EINTR);
  return ended;
}

/// Splits off the child with all signals blocked, so that no handler of the parent runs in it. It borrows the parent's
/// memory until its program starts, and the parent waits till then: copying the page tables of a process with MPI in it
/// takes longer than all the rest.
pid_t fork_into(const ChildSetup& setup) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::vfork();
  if (pid == 0) setup.run();
  const int code = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) throw errno_error("fork for", setup.argv[0], code);
  return pid;
}

FileDescriptor watch_end([[maybe_unused]] pid_t pid) {
#ifdef SYS_pidfd_open
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
#else
  return FileDescriptor();
#endif
}

ExitStatus exit_status_of(int raw) {
  ExitStatus status;
  if (WIFSIGNALED(raw)) {
    status.signal = WTERMSIG(raw);
  } else {
    status.code = WEXITSTATUS(raw);
  }
  return status;
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal) return fmt::format("signal {} ({})", *signal, ::strsignal(*signal));
  return code ? fmt::format("exit code {}", *code) : "an end that something else in this process collected";
}

ChildProcess ChildProcess::spawn(const SpawnOptions& options) {
  DITSCALE_CHECK(!options.argv.empty(), "a child process needs a program");
  const int event_to = options.event_fd.value_or(-1);
  DITSCALE_CHECK(!options.event_fd || event_to > STDERR_FILENO, "descriptor {} cannot be the event pipe", event_to);
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = child_environment(options);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);

  const int lowest = std::max(event_to, STDERR_FILENO);
  const FileDescriptor null = above(lowest, open_for_child("/dev/null", O_RDONLY));
  const FileDescriptor log =
      above(lowest, open_for_child(options.log.empty() ? "/dev/null" : options.log, O_WRONLY | O_CREAT | O_APPEND));
  FileDescriptor error_log;
  if (!options.error_log.empty())
    error_log = above(lowest, open_for_child(options.error_log, O_WRONLY | O_CREAT | O_APPEND));
  Pipe events;
  if (options.event_fd) {
    events = make_pipe();
    events.write_end = above(lowest, std::move(events.write_end));
  }
  ChildSetup::Failure failure;
  ChildSetup setup;
  setup.parent = ::getpid();
  setup.parent_death_signal = options.parent_death_signal;
  setup.null_fd = null.get();
  setup.log_fd = log.get();
  setup.error_log_fd = error_log.valid() ? error_log.get() : log.get();
  setup.event_from = events.write_end.get();
  setup.event_to = event_to;
  setup.failure = &failure;
  setup.argv = argv.data();
  setup.envp = envp.data();
  const pid_t pid = [&] {
    const OnProcessors there(options.cpus, options.argv.front());
    return fork_into(setup);
  }();

  if (failure.code != 0) {
    wait_for(pid, nullptr);
    throw errno_error(verb_of(failure.step), options.argv.front(), failure.code);
  }
  if (events.read_end.valid()) ::fcntl(events.read_end.get(), F_SETFL, O_NONBLOCK);
  return ChildProcess(pid, std::move(events.read_end));
}

ChildProcess::ChildProcess(pid_t pid, FileDescriptor events)
    : pid_(pid), end_(watch_end(pid)), events_(std::move(events)) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      end_(std::move(other.end_)),
      events_(std::move(other.events_)),
      status_(other.status_) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || status_) return;
  signal_group(SIGKILL);
  wait_for(pid_, nullptr);
}

std::optional<ExitStatus> ChildProcess::poll() {
  if (status_ || pid_ < 0) return status_;
  siginfo_t info{};
  // WNOWAIT: while the child is a zombie its number cannot be given to another process, so the rest of its group can
  // be ended without hitting a stranger.
  const int asked = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  if (asked != 0 && errno == ECHILD) status_ = ExitStatus{};
  if (asked != 0 || info.si_pid == 0) return status_;
  signal_group(SIGKILL);
  int raw = 0;
  status_ = wait_for(pid_, &raw) == pid_ ? exit_status_of(raw) : ExitStatus{};
  return status_;
}

void ChildProcess::signal_group(int signal) const noexcept {
  if (pid_ > 0 && !status_) ::kill(-pid_, signal);
}

}  // namespace ditscale::common
