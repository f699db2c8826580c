#pragma once

#include <filesystem>
#include <optional>

#include "common/file_lock.hpp"

namespace ditscale::results {

/// For a writer of `database` that is no coordinator: the lock of the study in whose folder it lies, to be kept while
/// writing; empty where no study ever ran. ConfigError when a coordinator holds it.
[[nodiscard]] std::optional<common::FileLock> lock_study_of(const std::filesystem::path& database);

}  // namespace ditscale::results
