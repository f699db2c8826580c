#include "results/storage/node_rows.hpp"

#include <SQLiteCpp/Column.h>

#include "results/storage/statement.hpp"

namespace ditscale::results {

int put_node_row(SQLite::Database& database, const NodeRecord& n) {
  SQLite::Statement put(database,
                        "INSERT INTO nodes(joined_s, agent, host, cpus, gpus, left_s) VALUES(?, ?, ?, ?, ?, ?)");
  return execute(put, n.joined_s, std::int64_t{n.agent}, n.host, n.cpus, n.gpus, n.left_s);
}

int end_node_row(SQLite::Database& database, int agent, double left_s) {
  SQLite::Statement end(database, "UPDATE nodes SET left_s = ?2 WHERE agent = ?1 AND left_s IS NULL");
  return execute(end, std::int64_t{agent}, left_s);
}

int end_stale_node_rows(SQLite::Database& database) {
  SQLite::Statement end(
      database,
      "UPDATE nodes SET left_s = max(joined_s, coalesce((SELECT max(max(started_s), coalesce(max(ended_s), 0.0)) FROM "
      "attempts), 0.0)) WHERE left_s IS NULL");
  return execute(end);
}

std::vector<NodeRecord> read_node_rows(SQLite::Database& database) {
  SQLite::Statement read(database,
                         "SELECT joined_s, agent, host, cpus, gpus, left_s FROM nodes ORDER BY joined_s, agent");
  std::vector<NodeRecord> nodes;
  while (read.executeStep()) {
    NodeRecord n;
    n.joined_s = read.getColumn(0).getDouble();
    n.agent = read.getColumn(1).getInt();
    n.host = read.getColumn(2).getString();
    n.cpus = read.getColumn(3).getInt64();
    n.gpus = read.getColumn(4).getInt64();
    if (!read.isColumnNull(5)) n.left_s = read.getColumn(5).getDouble();
    nodes.push_back(std::move(n));
  }
  return nodes;
}

}  // namespace ditscale::results
