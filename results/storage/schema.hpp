#pragma once

#include <filesystem>
#include <memory>

#include <SQLiteCpp/Database.h>

namespace ditscale::results {

/// Version of the tables and views that this program writes and reads. Stored, never renumber; each has its step in
/// schema.cpp.
inline constexpr int kSchemaVersion = 8;

/// Marks the file as ours ("DiTs"), so that another program's database is never written to.
inline constexpr int kApplicationId = 0x44695473;

/// Version found in the file; 0 in an empty one. Throws ConfigError when the file belongs to another program, or was
/// written by a newer ditscale (naming both versions).
[[nodiscard]] int schema_version_of(SQLite::Database& database, const std::filesystem::path& path);

/// Brings `database` from the version it has to `target`, one transaction per step: a process killed in the middle
/// leaves a whole version behind, and the next opening goes on from there. A file at or above `target` stays as it is.
void migrate(SQLite::Database& database, const std::filesystem::path& path, int target = kSchemaVersion);

/// In memory, of the newest version; `old` stays as it is.
[[nodiscard]] std::unique_ptr<SQLite::Database> migrated_copy(SQLite::Database& old, const std::filesystem::path& path);

}  // namespace ditscale::results
