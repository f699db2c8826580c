#include "results/storage/attempt_rows.hpp"

#include <utility>

#include <SQLiteCpp/Column.h>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "results/storage/statement.hpp"
#include "results/storage/trial_rows.hpp"

namespace ditscale::results {

namespace {

constexpr const char* kRead =
    "SELECT trial, number, state, reason, host, devices, predicted_s, started_s, ended_s, last_event, "
    "coalesce((SELECT max(step) FROM checkpoints c WHERE c.trial = a.trial AND c.attempt = a.number), 0) "
    "FROM attempts a ORDER BY trial, number";

constexpr const char* kRuns =
    "SELECT a.ended_s - a.started_s - a.stood_still_s, t.id, t.spec, 3.0 * t.forward_macs * (a.last_images - "
    "a.first_images), "
    "       coalesce((SELECT sum(macs) FROM (SELECT max(e.sampling_macs) AS macs FROM evaluations e "
    "                 WHERE e.trial = a.trial AND e.attempt = a.number GROUP BY e.step, e.settings)), 0), "
    "       CASE WHEN a.gpus > 0 THEN coalesce(a.device_name, '') ELSE '' END, coalesce(a.precision, '') "
    "FROM attempts a JOIN trials t ON t.id = a.trial "
    "WHERE a.cpus = ? AND a.gpus = ? AND coalesce(a.processes, 1) = ? AND a.state IN ('succeeded', 'preempted') "
    "      AND a.ended_s - a.started_s > a.stood_still_s AND a.last_images > a.first_images "
    "ORDER BY a.ended_s DESC LIMIT 500";

/// Empty when this version cannot read what the trial was.
std::optional<sweeps::MeasuredRun> measured_run(const SQLite::Statement& read, const sweeps::DeviceShare& devices) {
  try {
    sweeps::TrialSpec trial = sweeps::trial_spec_from(
        common::parse_json(read.getColumn(2).getString(), "trial " + read.getColumn(1).getString()));
    const std::string precision = read.getColumn(6).getString();
    if (precision == "fp32" || precision == "bf16") trial.train.precision = precision;
    const sweeps::TrialWork work{read.getColumn(3).getDouble(), read.getColumn(4).getDouble()};
    return sweeps::MeasuredRun{read.getColumn(0).getDouble(), sweeps::roofline(trial, work, devices), devices.gpu_name,
                               sweeps::model_label(trial.model)};
  } catch (const common::ConfigError&) {
    return std::nullopt;
  }
}

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

std::vector<sweeps::MeasuredRun> measured_runs(SQLite::Database& database, std::int64_t cpus, std::int64_t gpus,
                                               std::int64_t processes) {
  SQLite::Statement read(database, kRuns);
  bind_all(read, cpus, gpus, processes);
  std::vector<sweeps::MeasuredRun> runs;
  while (read.executeStep()) {
    auto run = measured_run(read, {processes, cpus, gpus, read.getColumn(5).getString()});
    if (run) runs.push_back(std::move(*run));
  }
  return runs;
}

std::optional<sweeps::Speed> measured_speed(SQLite::Database& database, std::int64_t cpus, std::int64_t gpus,
                                            std::int64_t processes) {
  const std::vector<sweeps::MeasuredRun> runs = measured_runs(database, cpus, gpus, processes);
  return runs.empty() ? std::nullopt : std::optional(sweeps::fit_speed(runs));
}

}  // namespace ditscale::results
