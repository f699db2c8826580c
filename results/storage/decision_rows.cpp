#include "results/storage/decision_rows.hpp"

#include <SQLiteCpp/Column.h>

#include "results/storage/statement.hpp"

namespace ditscale::results {

int put_decision_row(SQLite::Database& database, const DecisionRecord& d) {
  SQLite::Statement put(
      database,
      "INSERT OR REPLACE INTO decisions(trial, step, metric, value, rank, num_known, num_kept, kept, time_s) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  return execute(put, d.trial.str(), d.step, d.metric, d.value, d.rank, d.num_known, d.num_kept,
                 std::int64_t{d.kept ? 1 : 0}, d.time_s);
}

int overrule_decision_rows(SQLite::Database& database, const common::TrialId& trial) {
  SQLite::Statement overrule(database, "UPDATE decisions SET kept = 1 WHERE trial = ? AND kept = 0");
  return execute(overrule, trial.str());
}

std::vector<DecisionRecord> read_decision_rows(SQLite::Database& database) {
  SQLite::Statement read(database,
                         "SELECT trial, step, metric, value, rank, num_known, num_kept, kept, time_s FROM decisions "
                         "ORDER BY trial, step");
  std::vector<DecisionRecord> decisions;
  while (read.executeStep()) {
    decisions.push_back({common::TrialId(read.getColumn(0).getString()), read.getColumn(1).getInt64(),
                         read.getColumn(2).getString(), read.getColumn(3).getDouble(), read.getColumn(4).getInt64(),
                         read.getColumn(5).getInt64(), read.getColumn(6).getInt64(), read.getColumn(7).getInt64() != 0,
                         read.getColumn(8).getDouble()});
  }
  return decisions;
}

}  // namespace ditscale::results
