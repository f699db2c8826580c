#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "common/file_descriptor.hpp"

namespace ditscale::common {

/// How a child ended.
struct ExitStatus {
  /// Exit code, or empty when a signal ended it. Both are empty when something else collected the child's end (a parent
  /// that ignores SIGCHLD).
  std::optional<int> code;
  std::optional<int> signal;
  /// "exit code 3" or "signal 9 (Killed)".
  [[nodiscard]] std::string text() const;
};

struct SpawnOptions {
  std::vector<std::string> argv;
  /// Set on top of this process's environment.
  std::map<std::string, std::string> environment;
  /// Variables whose name starts with one of these are removed from the child's environment.
  std::vector<std::string> removed_prefixes;
  /// Standard output and error are appended to this file; empty means nowhere. Standard input is always empty.
  std::filesystem::path log;
  /// Where standard error goes instead, for programs whose output is read; empty: where standard output goes.
  std::filesystem::path error_log;
  /// Logical processors the child may run on; empty means all of the parent's.
  std::vector<int> cpus;
  /// Signal the child gets when the thread that spawned it ends.
  int parent_death_signal = 15;
  /// When set (3 or more), the child gets the write end of a pipe under this descriptor number. It inherits no other
  /// descriptor but the three standard ones.
  std::optional<int> event_fd;
};

/// A child in a process group (and session) of its own. Destroying a running one kills its whole group.
/// Spawn it from a thread that lives as long as the child should: the parent-death signal is tied to that thread.
class ChildProcess {
 public:
  /// Throws SystemError with the reason when the log cannot be opened or the program cannot be executed. The child
  /// starts with no signal blocked, ignored or handled.
  [[nodiscard]] static ChildProcess spawn(const SpawnOptions& options);

  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable once the child has ended; invalid where the kernel has no such thing (before Linux 5.3).
  [[nodiscard]] const FileDescriptor& end() const { return end_; }
  /// Read end of the event pipe, non-blocking; invalid when none was asked for.
  [[nodiscard]] const FileDescriptor& events() const { return events_; }
  /// Reaps the child when it has ended, and ends what is left of its group; empty while it runs. After the end it keeps
  /// answering.
  [[nodiscard]] std::optional<ExitStatus> poll();
  /// Sends `signal` to the whole group; once `poll` has seen the end this does nothing.
  void signal_group(int signal) const noexcept;
  /// Leaves the child to itself: it may outlive this object, and nothing here collects its end.
  void release() noexcept { pid_ = -1; }

 private:
  ChildProcess(pid_t pid, FileDescriptor events);
  pid_t pid_ = -1;
  FileDescriptor end_;
  FileDescriptor events_;
  std::optional<ExitStatus> status_;
};

}  // namespace ditscale::common
