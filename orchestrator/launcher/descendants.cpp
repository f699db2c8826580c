#include "orchestrator/launcher/descendants.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <sys/types.h>
#include <unistd.h>

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

}  // namespace

void kill_children() {
  const pid_t self = ::getpid();
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    const auto process = process_of(entry.path());
    if (!process || process->parent != self) continue;
    ::kill(pid, SIGKILL);
    if (process->group != ::getpgrp()) ::kill(-process->group, SIGKILL);
  }
}

}  // namespace ditscale::orchestrator
