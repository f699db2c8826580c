#include "results/storage/schema.hpp"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Transaction.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "results/storage/schema_steps.hpp"
#include "results/storage/statement.hpp"

namespace ditscale::results {

int schema_version_of(SQLite::Database& database, const std::filesystem::path& path) {
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  const int application = database.execAndGet("PRAGMA application_id").getInt();
  const int objects = database.execAndGet("SELECT count(*) FROM sqlite_master").getInt();
  if (objects == 0) return 0;
  if (application != kApplicationId) {
    throw common::ConfigError(fmt::format(
        "{}: this SQLite database was not made by ditscale (application id {:#x}, expected {:#x}); give another file",
        path.string(), static_cast<unsigned>(application), kApplicationId));
  }
  if (version > kSchemaVersion) {
    throw common::ConfigError(
        fmt::format("{}: written by a newer ditscale (schema version {}, this program knows up to {}); use the newer "
                    "program, or another --runs folder",
                    path.string(), version, kSchemaVersion));
  }
  return version;
}

void migrate(SQLite::Database& database, const std::filesystem::path& path, int target) {
  if (schema_version_of(database, path) >= target) return;
  for (const SchemaStep& step : schema_steps()) {
    if (step.version > target) return;
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    if (schema_version_of(database, path) >= step.version) continue;
    database.exec(step.sql);
    SQLite::Statement note(database, "INSERT INTO schema_steps VALUES(?, ?, ?)");
    execute(note, step.version, std::string_view(step.what), common::SystemClock().unix_s());
    database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.exec(fmt::format("PRAGMA user_version = {}", step.version));
    transaction.commit();
  }
}

std::unique_ptr<SQLite::Database> migrated_copy(SQLite::Database& old, const std::filesystem::path& path) {
  auto copy = std::make_unique<SQLite::Database>(":memory:",
                                                 SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_FULLMUTEX);
  SQLite::Backup(*copy, old).executeStep(-1);
  migrate(*copy, path);
  return copy;
}

}  // namespace ditscale::results
