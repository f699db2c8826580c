#include "results/storage/database.hpp"

#include <string>

#include <sqlite3.h>

#include "results/storage/filesystem.hpp"
#include "results/storage/schema.hpp"

namespace ditscale::results {

namespace fs = std::filesystem;

namespace {

fs::path wal_of(const fs::path& path) { return path.string() + "-wal"; }

bool has_content(const fs::path& path) {
  std::error_code code;
  const auto size = fs::file_size(path, code);
  return !code && size > 0;
}

/// "file:/x%20y/results.db?immutable=1": SQLite then takes no locks and makes no files.
std::string immutable_uri(const fs::path& path) {
  std::string uri = "file:";
  for (const char c : fs::absolute(path).string()) {
    const bool special = c == '%' || c == '?' || c == '#' || c == ' ';
    uri += special ? fmt::format("%{:02X}", static_cast<unsigned>(c)) : std::string(1, c);
  }
  return uri + "?immutable=1";
}

/// Reads the file's first page, which is where SQLite notices most of what can be wrong.
void touch(SQLite::Database& database) { database.execAndGet("SELECT count(*) FROM sqlite_master"); }

std::string advice_for(int code, int extended) {
  switch (code) {
    case SQLITE_FULL:
      return "the disk is full: free some space and run the same command again; what was recorded before is kept";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process holds the database: wait for it or stop it, then run the same command again";
    case SQLITE_NOTADB:
      return "the file is not a results database: give the right file, or move this one away";
    case SQLITE_CORRUPT:
      return "the file is damaged (cut short or overwritten): restore a copy, or move it away together with its -wal "
             "file and run the sweep again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "the file or its folder cannot be written: check the permissions";
    case SQLITE_CANTOPEN:
      return "the file cannot be opened: check the path and the permissions of its folder";
    case SQLITE_IOERR:
      return extended == SQLITE_IOERR_SHORT_READ ? "the file is shorter than it should be: restore a copy"
                                                 : "reading or writing failed: check the disk and its free space";
    default:
      return "look at the message of SQLite";
  }
}

}  // namespace

void throw_translated(const fs::path& path, const SQLite::Exception& error) {
  const int code = error.getErrorCode() & 0xFF;
  if (code == SQLITE_CONSTRAINT) {
    throw common::InternalError(fmt::format("{}: {}; this is a defect of ditscale", path.string(), error.what()));
  }
  throw common::SystemError(fmt::format("{}: {} (SQLite: {}, code {})", path.string(),
                                        advice_for(code, error.getExtendedErrorCode()), error.what(),
                                        error.getExtendedErrorCode()));
}

std::unique_ptr<SQLite::Database> open_for_writing(const fs::path& path, Durability durability) {
  const bool shared = on_network_filesystem(path.parent_path());
  return translating(path, [&] {
    auto database = std::make_unique<SQLite::Database>(
        path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
        shared ? kSharedBusyTimeout_ms : kBusyTimeout_ms);
    static_cast<void>(schema_version_of(*database, path));  // before anything is written into a file not ours
    database->execAndGet(shared ? "PRAGMA journal_mode = DELETE" : "PRAGMA journal_mode = WAL");
    const bool lazy = durability == Durability::kPrefix && !shared;
    if (lazy) database->exec("PRAGMA wal_autocheckpoint = 4000");  // pages; each time waits for the disk
    database->exec(lazy ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
    database->exec("PRAGMA foreign_keys = ON");
    // What a savepoint may have to undo, and the pages of a large transaction, stay out of files.
    database->exec("PRAGMA temp_store = MEMORY");
    database->exec("PRAGMA cache_size = -16000");
    return database;
  });
}

std::unique_ptr<SQLite::Database> open_for_reading(const fs::path& path) {
  if (!fs::exists(path)) {
    throw common::SystemError(
        fmt::format("{}: there is no such file; run a sweep first, or give --db the right file", path.string()));
  }
  if (fs::is_directory(path)) {
    throw common::SystemError(fmt::format("{}: this is a folder; give the results.db inside it", path.string()));
  }
  return translating(path, [&] {
    auto database = std::make_unique<SQLite::Database>(path.string(), SQLite::OPEN_READONLY | SQLite::OPEN_FULLMUTEX,
                                                       kBusyTimeout_ms);
    try {
      touch(*database);
      return database;
    } catch (const SQLite::Exception& error) {
      // A database in WAL mode wants to make its side files; where it may not, and no changes wait in them, read the
      // file alone.
      const int code = error.getErrorCode() & 0xFF;
      const bool no_side_files = code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
      if (!no_side_files || has_content(wal_of(path))) throw;
    }
    database = std::make_unique<SQLite::Database>(immutable_uri(path),
                                                  SQLite::OPEN_READONLY | SQLite::OPEN_URI | SQLite::OPEN_FULLMUTEX);
    touch(*database);
    return database;
  });
}

}  // namespace ditscale::results
