#include "results/storage/attempt_rows.hpp"

#include <SQLiteCpp/Column.h>

#include "results/storage/statement.hpp"
#include "results/storage/trial_rows.hpp"

namespace ditscale::results {

namespace {

constexpr const char* kRead =
    "SELECT trial, number, state, reason, host, devices, predicted_s, started_s, ended_s, last_event, "
    "coalesce((SELECT max(step) FROM checkpoints c WHERE c.trial = a.trial AND c.attempt = a.number), 0) "
    "FROM attempts a ORDER BY trial, number";

constexpr const char* kRuns =
    "SELECT a.ended_s - a.started_s, (3.0 * t.forward_macs * (a.last_images - a.first_images) "
    "        + coalesce((SELECT sum(macs) FROM (SELECT max(e.sampling_macs) AS macs FROM evaluations e "
    "                    WHERE e.trial = a.trial AND e.attempt = a.number GROUP BY e.step, e.settings)), 0)), "
    "       1.0 * (a.last_images - a.first_images) / json_extract(t.spec, '$.train.global_batch') "
    "       * json_extract(t.spec, '$.model.depth') "
    "FROM attempts a JOIN trials t ON t.id = a.trial "
    "WHERE a.cpus = ? AND a.gpus = ? AND coalesce(a.processes, 1) = ? AND a.state IN ('succeeded', 'preempted') "
    "      AND a.ended_s > a.started_s AND a.last_images > a.first_images "
    "ORDER BY a.ended_s DESC LIMIT 500";

}  // namespace

std::vector<AttemptRecord> read_attempt_rows(SQLite::Database& database) {
  SQLite::Statement read(database, kRead);
  std::vector<AttemptRecord> attempts;
  while (read.executeStep()) {
    AttemptRecord a;
    a.trial = common::TrialId(read.getColumn(0).getString());
    a.number = common::AttemptNumber{read.getColumn(1).getInt()};
    a.state = stored_state(read.getColumn(2).getString());
    a.reason = read.getColumn(3).getString();
    a.host = read.getColumn(4).getString();
    a.devices = read.getColumn(5).getString();
    a.predicted_s = read.getColumn(6).getDouble();
    a.started_s = read.getColumn(7).getDouble();
    if (!read.isColumnNull(8)) a.ended_s = read.getColumn(8).getDouble();
    a.last_event = read.getColumn(9).getInt64();
    a.checkpoint_step = read.getColumn(10).getInt64();
    attempts.push_back(std::move(a));
  }
  return attempts;
}

std::int64_t last_event_of(SQLite::Database& database, const common::TrialId& trial, common::AttemptNumber number) {
  SQLite::Statement read(database, "SELECT last_event FROM attempts WHERE trial = ? AND number = ?");
  bind_all(read, trial.str(), common::to_int(number));
  return read.executeStep() ? read.getColumn(0).getInt64() : 0;
}

std::optional<sweeps::Speed> measured_speed(SQLite::Database& database, std::int64_t cpus, std::int64_t gpus,
                                            std::int64_t processes) {
  SQLite::Statement read(database, kRuns);
  bind_all(read, cpus, gpus, processes);
  std::vector<sweeps::MeasuredRun> runs;
  while (read.executeStep())
    runs.push_back({read.getColumn(0).getDouble(), read.getColumn(1).getDouble(), read.getColumn(2).getDouble()});
  if (runs.empty()) return std::nullopt;
  return sweeps::fit_speed(runs);
}

}  // namespace ditscale::results
