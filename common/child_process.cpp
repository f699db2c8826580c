#include "common/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Everything between fork and exec: only async-signal-safe calls, no allocation.
struct ChildSetup {
  pid_t parent;
  int parent_death_signal;
  int log_fd;
  int event_from;
  int event_to;
  bool has_cpus;
  cpu_set_t cpus;
  int error_fd;
  char** argv;
  char** envp;

  [[noreturn]] void fail() const {
    const int code = errno;
    [[maybe_unused]] const ssize_t ignored = ::write(error_fd, &code, sizeof code);
    ::_exit(127);
  }

  [[noreturn]] void run() const {
    if (::setsid() < 0) fail();
    if (::prctl(PR_SET_PDEATHSIG, parent_death_signal) != 0) fail();
    if (::getppid() != parent) ::_exit(127);  // the parent died before the signal was set
    if (has_cpus && ::sched_setaffinity(0, sizeof cpus, &cpus) != 0) fail();
    if (::dup2(log_fd, STDOUT_FILENO) < 0 || ::dup2(log_fd, STDERR_FILENO) < 0) fail();
    if (event_to >= 0) {
      if (event_from == event_to ? ::fcntl(event_to, F_SETFD, 0) != 0 : ::dup2(event_from, event_to) < 0) fail();
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int reset : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2}) ::signal(reset, SIG_DFL);
    ::execvpe(argv[0], argv, envp);
    fail();
  }
};

FileDescriptor open_log(const std::filesystem::path& log) {
  const char* name = log.empty() ? "/dev/null" : log.c_str();
  FileDescriptor fd(::open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.valid()) throw errno_error("open", name);
  return fd;
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

/// Waits until exec closed the error pipe (success) or a code came through it.
void throw_if_exec_failed(Pipe& error, pid_t pid, const std::string& program) {
  error.write_end.reset();
  int code = 0;
  ssize_t got = 0;
  do {
    got = ::read(error.read_end.get(), &code, sizeof code);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof code) return;
  ::waitpid(pid, nullptr, 0);
  throw errno_error("start", program, code);
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
  return fmt::format("exit code {}", code.value_or(-1));
}

ChildProcess ChildProcess::spawn(const SpawnOptions& options) {
  DITSCALE_CHECK(!options.argv.empty(), "a child process needs a program");
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> environment = child_environment(options);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const FileDescriptor log = open_log(options.log);
  Pipe events;
  if (options.event_fd) events = make_pipe();
  Pipe error = make_pipe();

  const ChildSetup setup{::getpid(),
                         options.parent_death_signal,
                         log.get(),
                         events.write_end.get(),
                         options.event_fd.value_or(-1),
                         !options.cpus.empty(),
                         cpu_set_of(options.cpus),
                         error.write_end.get(),
                         const_cast<char**>(argv.data()),
                         const_cast<char**>(envp.data())};
  const pid_t pid = ::fork();
  if (pid < 0) throw errno_error("fork for", options.argv.front());
  if (pid == 0) setup.run();

  throw_if_exec_failed(error, pid, options.argv.front());
  if (events.read_end.valid()) ::fcntl(events.read_end.get(), F_SETFL, O_NONBLOCK);
  return ChildProcess(pid, std::move(events.read_end));
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), events_(std::move(other.events_)), status_(other.status_) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || status_) return;
  signal_group(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::optional<ExitStatus> ChildProcess::poll() {
  if (status_ || pid_ < 0) return status_;
  int raw = 0;
  const pid_t ended = ::waitpid(pid_, &raw, WNOHANG);
  if (ended == pid_) status_ = exit_status_of(raw);
  if (ended < 0 && errno != EINTR) throw errno_error("waitpid", std::to_string(pid_));
  return status_;
}

void ChildProcess::signal_group(int signal) const noexcept {
  if (pid_ > 0) ::kill(-pid_, signal);
}

}  // namespace ditscale::common
