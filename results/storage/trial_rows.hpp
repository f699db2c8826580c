#pragma once

#include <span>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "results/records.hpp"

namespace ditscale::results {

/// Inserts new trials; of known ones label, axes, position and spec (equal but for what cannot change the result) are
/// renewed, state and reason kept. Inside the caller's transaction. Returns how many were given.
std::size_t put_trial_rows(SQLite::Database& database, std::span<const TrialRecord> trials);

/// All trials in the order of the sweep file.
[[nodiscard]] std::vector<TrialRecord> read_trial_rows(SQLite::Database& database);

/// The same trials' states alone, in any order.
[[nodiscard]] std::vector<TrialStanding> read_standings(SQLite::Database& database);

/// State of that name; a name we do not know is CorruptData.
[[nodiscard]] TrialState stored_state(const std::string& name);

}  // namespace ditscale::results
