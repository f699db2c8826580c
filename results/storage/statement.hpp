#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

namespace ditscale::results {

inline void bind_value(SQLite::Statement& statement, int index, std::int64_t value) { statement.bind(index, value); }
inline void bind_value(SQLite::Statement& statement, int index, std::int32_t value) { statement.bind(index, value); }
inline void bind_value(SQLite::Statement& statement, int index, double value) { statement.bind(index, value); }
inline void bind_value(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bind(index, value);
}
inline void bind_value(SQLite::Statement& statement, int index, std::string_view value) {
  statement.bind(index, std::string(value));
}
/// An empty optional is NULL.
template <typename Value>
void bind_value(SQLite::Statement& statement, int index, const std::optional<Value>& value) {
  if (value) {
    bind_value(statement, index, *value);
  } else {
    statement.bind(index);
  }
}

/// Binds `values` to ?1, ?2 … and makes the statement ready to step.
template <typename... Values>
void bind_all(SQLite::Statement& statement, const Values&... values) {
  statement.tryReset();  // what a failed step left behind was reported then
  int index = 0;
  (bind_value(statement, ++index, values), ...);
}

/// Runs a statement that returns no rows; returns how many rows it changed. One that fails is reset at once: as long as
/// it counts as running, no other of the connection can commit.
template <typename... Values>
int execute(SQLite::Statement& statement, const Values&... values) {
  bind_all(statement, values...);
  try {
    return statement.exec();
  } catch (const SQLite::Exception&) {
    statement.tryReset();
    throw;
  }
}

}  // namespace ditscale::results
