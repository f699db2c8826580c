#pragma once

#include <vector>

#include <SQLiteCpp/Database.h>

#include "results/records.hpp"

namespace ditscale::results {

/// Inserts one decision; one by another metric at the same step makes way. Inside the caller's transaction.
int put_decision_row(SQLite::Database& database, const DecisionRecord& decision);

/// Turns the trial's decisions to stop into decisions to go on. Inside the caller's transaction.
int overrule_decision_rows(SQLite::Database& database, const common::TrialId& trial);

/// All decisions by trial and step.
[[nodiscard]] std::vector<DecisionRecord> read_decision_rows(SQLite::Database& database);

}  // namespace ditscale::results
