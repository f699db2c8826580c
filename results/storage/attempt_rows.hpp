#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "results/records.hpp"

namespace ditscale::results {

/// Inserts one attempt together with the cpus and gpus its trial asks for now. Inside the caller's transaction.
int put_attempt_row(SQLite::Database& database, const AttemptRecord& attempt);

/// All attempts by trial and number.
[[nodiscard]] std::vector<AttemptRecord> read_attempt_rows(SQLite::Database& database);

/// Median over attempts that ended well or were preempted, with `cpus` for each of `processes` and `gpus` in all, of
/// MACs done ÷ seconds of attempt. MACs done: three forward passes per image trained by this attempt, plus the sampling
/// of its evaluations.
[[nodiscard]] std::optional<double> median_macs_per_s(SQLite::Database& database, std::int64_t cpus, std::int64_t gpus,
                                                      std::int64_t processes);

}  // namespace ditscale::results
