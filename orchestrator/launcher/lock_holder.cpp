#include "orchestrator/launcher/lock_holder.hpp"

#include <fstream>
#include <sstream>

#include "orchestrator/agent/inventory.hpp"

namespace ditscale::orchestrator {

namespace {

/// Field 22 of /proc/<pid>/stat; the program's name, which is field 2, stands in parentheses and may hold anything.
std::optional<std::uint64_t> start_ticks_of(pid_t pid) {
  constexpr int kFieldsBetween = 19;
  std::ifstream file(std::filesystem::path("/proc") / std::to_string(pid) / "stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 0; field < kFieldsBetween; ++field) fields >> skipped;
  std::uint64_t ticks = 0;
  return fields >> ticks ? std::optional(ticks) : std::nullopt;
}

}  // namespace

bool LockHolder::is_here() const { return host == host_name() && start_ticks_of(pid) == start_ticks; }

void sign_lock(const std::filesystem::path& lock, pid_t pid) {
  // In place: the lock is on this very file. It is not worth a study when it cannot be written.
  std::ofstream(lock, std::ios::trunc) << host_name() << ' ' << pid << ' ' << start_ticks_of(pid).value_or(0) << '\n';
}

std::optional<LockHolder> holder_of(const std::filesystem::path& lock) {
  std::ifstream file(lock);
  LockHolder holder;
  if (file >> holder.host >> holder.pid >> holder.start_ticks) return holder;
  return std::nullopt;
}

}  // namespace ditscale::orchestrator
