#include "worker/data/part_processes.hpp"

#include <array>
#include <iterator>
#include <list>
#include <system_error>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/child_process.hpp"
#include "common/error.hpp"

namespace ditscale::worker {

namespace {

/// How long a wish to stop or the end of a process may go unnoticed.
constexpr int kLook_ms = 200;
constexpr std::size_t kShownOfLog = 2000;

using Children = std::list<common::ChildProcess>;

Children start(const PrepareOptions& options, const PartsPaths& paths) {
  std::error_code ignored;
  std::filesystem::remove(paths.log(), ignored);
  Children children;
  for (int i = 0; i < options.processes; ++i) {
    common::SpawnOptions spawn;
    spawn.argv = options.part_command;
    spawn.log = paths.log();
    spawn.event_fd = kPartEventFd;
    children.push_back(common::ChildProcess::spawn(spawn));
  }
  return children;
}

void count_events(const common::ChildProcess& child, PrepareProgress& progress) {
  std::array<char, 4096> bytes{};
  ssize_t got = 0;
  while ((got = ::read(child.events().get(), bytes.data(), bytes.size())) > 0) {
    for (ssize_t i = 0; i < got; ++i) progress.count(bytes[static_cast<std::size_t>(i)] == 'x');
  }
}

/// Returns early when a process ends, not for each image: what they say waits in the pipes.
void wait_a_while(const Children& children) {
  std::vector<pollfd> pipes;
  for (const common::ChildProcess& child : children) pipes.push_back({child.events().get(), 0, 0});
  ::poll(pipes.data(), pipes.size(), kLook_ms);
}

[[noreturn]] void fail(const common::ExitStatus& status, const PartsPaths& paths) {
  std::string log = common::read_file(paths.log());
  if (log.size() > kShownOfLog) log.erase(0, log.size() - kShownOfLog);
  throw common::SystemError(
      fmt::format("a process that decodes images ended with {}; run the same command again to go on. It said:\n{}",
                  status.text(), log));
}

}  // namespace

bool run_part_processes(const PrepareOptions& options, const PartsPaths& paths, PrepareProgress& progress) {
  Children children = start(options, paths);
  while (!children.empty()) {
    if (options.stop()) return false;
    wait_a_while(children);
    for (auto child = children.begin(); child != children.end();) {
      const auto status = child->poll();
      count_events(*child, progress);
      if (status && status->code != 0) fail(*status, paths);
      child = status ? children.erase(child) : std::next(child);
    }
  }
  return true;
}

}  // namespace ditscale::worker
