#pragma once

#include <functional>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "results/reader.hpp"

namespace ditscale::results {

/// Runs one SELECT that came from a user; see ResultsReader::query. Three walls stand in front of a write: the
/// connection is read-only, the authorizer refuses every action but reading, and the statement must be read-only.
void run_select(SQLite::Database& database, const std::string& sql, const ResultsReader::OnColumns& on_columns,
                const ResultsReader::OnRow& on_row);

}  // namespace ditscale::results
