#include "orchestrator/launcher/descendants.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>
#include <unistd.h>

#include "common/text.hpp"

namespace ditscale::orchestrator {

namespace {

struct Process {
  pid_t parent = 0;
  pid_t group = 0;
};

/// Fields 4 and 5 of /proc/<pid>/stat; the program's name before them stands in parentheses and may hold anything.
std::optional<Process> process_of(const std::filesystem::path& folder) {
  std::ifstream file(folder / "stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  const std::size_t name_end = text.rfind(')');
  Process process;
  char state = 0;
  if (name_end == std::string::npos) return std::nullopt;
  if (std::sscanf(text.c_str() + name_end + 1, " %c %d %d", &state, &process.parent, &process.group) != 3) {
    return std::nullopt;
  }
  return process;
}

/// All that /proc shows now.
std::map<pid_t, Process> all_processes() {
  std::map<pid_t, Process> processes;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const auto pid = common::number_from<pid_t>(entry.path().filename().string());
    if (!pid) continue;
    if (const auto process = process_of(entry.path())) processes.emplace(*pid, *process);
  }
  return processes;
}

/// Also where its file was replaced since it started.
std::string program_of(pid_t pid) {
  constexpr std::string_view kReplaced = " (deleted)";
  std::error_code gone;
  const auto link = std::filesystem::path("/proc") / std::to_string(pid) / "exe";
  std::string program = std::filesystem::read_symlink(link, gone).string();
  if (program.ends_with(kReplaced)) program.resize(program.size() - kReplaced.size());
  return program;
}

}  // namespace

void kill_children() {
  for (const auto& [pid, process] : all_processes()) {
    if (process.parent != ::getpid()) continue;
    ::kill(pid, SIGKILL);
    if (process.group != ::getpgrp()) ::kill(-process.group, SIGKILL);
  }
}

bool has_descendant_like_self() {
  const pid_t self = ::getpid();
  const std::string program = program_of(self);
  const std::map<pid_t, Process> processes = all_processes();
  const auto descends = [&](pid_t pid) {
    // Not for ever: what is seen of processes that come and go may hold a loop.
    for (std::size_t steps = 0; steps < processes.size(); ++steps) {
      const auto process = processes.find(pid);
      if (process == processes.end()) return false;
      if (process->second.parent == self) return true;
      pid = process->second.parent;
    }
    return false;
  };
  return std::any_of(processes.begin(), processes.end(), [&](const auto& entry) {
    return entry.first != self && descends(entry.first) && program_of(entry.first) == program;
  });
}

}  // namespace ditscale::orchestrator
