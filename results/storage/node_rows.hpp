#pragma once

#include <vector>

#include <SQLiteCpp/Database.h>

#include "results/records.hpp"

namespace ditscale::results {

/// Each inside the caller's transaction; returns how many rows it changed.
int put_node_row(SQLite::Database& database, const NodeRecord& node);
int end_node_row(SQLite::Database& database, int agent, double left_s);
/// Ends those that a coordinator left behind, with the last start or end of an attempt.
int end_stale_node_rows(SQLite::Database& database);

/// All nodes by the time they joined.
[[nodiscard]] std::vector<NodeRecord> read_node_rows(SQLite::Database& database);

}  // namespace ditscale::results
