#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include "common/error.hpp"
#include "results/durability.hpp"

namespace ditscale::results {

/// How long a call waits for another process's lock before it gives up.
inline constexpr int kBusyTimeout_ms = 10'000;

/// The same for the one writer on a network filesystem: its commits wait until no one reads, and a study must not end
/// because someone looks at it for longer than `kBusyTimeout_ms`.
inline constexpr int kSharedBusyTimeout_ms = 600'000;

/// Opens `path` for the one writer, creating it when absent, with foreign keys on. WAL on a local filesystem, so that
/// readers never wait; a rollback journal on a network one.
[[nodiscard]] std::unique_ptr<SQLite::Database> open_for_writing(const std::filesystem::path& path,
                                                                 Durability durability = Durability::kEach);

/// Opens an existing `path` so that nothing can be changed through it. Works while a writer is active, after a crash,
/// and in folders where the reader may not write.
[[nodiscard]] std::unique_ptr<SQLite::Database> open_for_reading(const std::filesystem::path& path);

/// SQLite's error as ours: SystemError with the file and what to do; a broken constraint is an InternalError.
[[noreturn]] void throw_translated(const std::filesystem::path& path, const SQLite::Exception& error);

/// Calls `work()` with SQLite's errors translated.
template <typename Work>
auto translating(const std::filesystem::path& path, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const SQLite::Exception& error) {
    throw_translated(path, error);
  }
}

}  // namespace ditscale::results
