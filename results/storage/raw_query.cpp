#include "results/storage/raw_query.hpp"

#include <memory>
#include <string_view>

#include <sqlite3.h>

#include "common/error.hpp"

namespace ditscale::results {

namespace {

using StatementPtr = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

/// What a SELECT may do: read tables, call functions (but load no code), recurse, and ask for a table's columns.
int allow_reading(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA: {
      const std::string_view name = first == nullptr ? "" : first;
      return name == "table_info" || name == "table_xinfo" || name == "table_list" ? SQLITE_OK : SQLITE_DENY;
    }
    default:
      return SQLITE_DENY;
  }
}

/// Installs the authorizer for the life of this object.
class ReadingOnly {
 public:
  explicit ReadingOnly(sqlite3* handle) : handle_(handle) { sqlite3_set_authorizer(handle_, allow_reading, nullptr); }
  ~ReadingOnly() { sqlite3_set_authorizer(handle_, nullptr, nullptr); }
  ReadingOnly(const ReadingOnly&) = delete;
  ReadingOnly& operator=(const ReadingOnly&) = delete;

 private:
  sqlite3* handle_;
};

/// Whether there is more than spaces, semicolons and comments.
bool holds_statement(sqlite3* handle, const char* text) {
  while (*text != '\0') {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(handle, text, -1, &raw, &rest);
    const StatementPtr statement(raw, sqlite3_finalize);
    if (code != SQLITE_OK || statement) return true;
    if (rest == text) return false;
    text = rest;
  }
  return false;
}

StatementPtr prepare(sqlite3* handle, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v2(handle, sql.c_str(), static_cast<int>(sql.size()) + 1, &raw, &rest);
  StatementPtr statement(raw, sqlite3_finalize);
  if (code == SQLITE_AUTH) {
    throw common::UsageError("--sql: only SELECT is possible, the database is opened for reading; refused: " + sql);
  }
  if ((code & 0xFF) == SQLITE_ERROR)
    throw common::UsageError(fmt::format("--sql: {}: {}", sqlite3_errmsg(handle), sql));
  if (code != SQLITE_OK) throw SQLite::Exception(handle, code);
  if (raw == nullptr) throw common::UsageError("--sql: an empty statement; give a SELECT");
  if (sqlite3_stmt_readonly(raw) == 0) throw common::UsageError("--sql: only SELECT is possible; refused: " + sql);
  if (holds_statement(handle, rest))
    throw common::UsageError(fmt::format("--sql: one statement at a time; left over: {}", rest));
  return statement;
}

SqlValue value_at(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_BLOB:
      return fmt::format("<{} bytes>", sqlite3_column_bytes(row, column));
    default:
      return std::string(reinterpret_cast<const char*>(sqlite3_column_text(row, column)),
                         static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
  }
}

}  // namespace

void run_select(SQLite::Database& database, const std::string& sql, const ResultsReader::OnColumns& on_columns,
                const ResultsReader::OnRow& on_row) {
  sqlite3* handle = database.getHandle();
  const ReadingOnly wall(handle);
  const StatementPtr statement = prepare(handle, sql);
  const int count = sqlite3_column_count(statement.get());
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.emplace_back(sqlite3_column_name(statement.get(), i));
  on_columns(names);
  std::vector<SqlValue> row(static_cast<std::size_t>(count));
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    for (int i = 0; i < count; ++i) row[static_cast<std::size_t>(i)] = value_at(statement.get(), i);
    on_row(row);
  }
  if ((code & 0xFF) == SQLITE_ERROR)
    throw common::UsageError(fmt::format("--sql: {}: {}", sqlite3_errmsg(handle), sql));
  if (code != SQLITE_DONE) throw SQLite::Exception(handle, code);
}

}  // namespace ditscale::results
