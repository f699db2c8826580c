#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <SQLiteCpp/Database.h>

#include "results/records.hpp"
#include "sweeps/spec/speed.hpp"

namespace ditscale::results {

/// Inserts one attempt (trial, number, state, reason, host, devices, predicted_s, started_s, ended_s, last_event)
/// together with the cpus and gpus its trial asks for now.
inline constexpr const char* kPutAttempt =
    "INSERT INTO attempts(trial, number, state, reason, host, devices, predicted_s, started_s, ended_s, last_event, "
    "cpus, gpus) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
    "(SELECT json_extract(spec, '$.resources.cpus') FROM trials WHERE id = ?1), "
    "(SELECT json_extract(spec, '$.resources.gpus') FROM trials WHERE id = ?1))";

/// All attempts by trial and number.
[[nodiscard]] std::vector<AttemptRecord> read_attempt_rows(SQLite::Database& database);

/// Number of the newest event of an attempt on record; 0 when there is no such attempt.
[[nodiscard]] std::int64_t last_event_of(SQLite::Database& database, const common::TrialId& trial,
                                         common::AttemptNumber number);

/// The newest 500 attempts that ended well or were preempted, with `cpus` for each of `processes` and `gpus` in all,
/// newest first. Work done: three forward passes per image trained by the attempt, plus the sampling of its
/// evaluations.
[[nodiscard]] std::vector<sweeps::MeasuredRun> measured_runs(SQLite::Database& database, std::int64_t cpus,
                                                             std::int64_t gpus, std::int64_t processes);

/// What they say of the devices' speed; empty when there is none.
[[nodiscard]] std::optional<sweeps::Speed> measured_speed(SQLite::Database& database, std::int64_t cpus,
                                                          std::int64_t gpus, std::int64_t processes);

}  // namespace ditscale::results
