#include "results/maintenance/study_lock.hpp"

#include "common/error.hpp"
#include "common/trial_paths.hpp"

namespace ditscale::results {

std::optional<common::FileLock> lock_study_of(const std::filesystem::path& database) {
  const std::filesystem::path file = common::StudyPaths{database.parent_path()}.lock();
  if (!std::filesystem::exists(file)) return std::nullopt;
  auto lock = common::FileLock::try_acquire(file);
  if (lock) return lock;
  throw common::ConfigError(fmt::format(
      "{}: an `orchestrator run` works on this study now and is the one writer of its database. Wait for it, "
      "or give another file",
      database.string()));
}

}  // namespace ditscale::results
