#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/file_lock.hpp"
#include "common/trial_paths.hpp"
#include "orchestrator/coordinator/actions.hpp"
#include "orchestrator/coordinator/restore.hpp"
#include "results/writer.hpp"
#include "sweeps/spec/speed.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// A study on disk: its folder, lock and database. The only place that writes there for the coordinator. What it writes
/// outlives this process's death at any line. A power failure may take the last seconds: on a local filesystem it ends
/// the trainers too, and what they had made durable is in their folders, from which the records are made again.
class Study {
 public:
  /// Makes the folder, takes the lock, opens the database and records the sweep's cells. Throws ConfigError when
  /// another coordinator holds the lock or the database is of a newer version, SystemError when the disk refuses.
  Study(const common::StudyPaths& paths, const sweeps::Sweep& sweep);

  /// What the records say of the sweep's cells, and the event files of attempts whose end was not seen.
  [[nodiscard]] std::unordered_map<common::TrialId, PastTrial> past() const;
  /// Trials on record that are no longer in the sweep file.
  [[nodiscard]] std::size_t num_foreign() const { return num_foreign_; }
  /// Records all records among `actions` in one transaction. Takes the events out of them.
  void record(Actions& actions);
  void record(Actions&& actions) { record(actions); }
  /// Writes trial.json and makes the attempt's folder: all a trainer needs before it starts.
  void prepare(const StartTrainer& start);
  /// Events of one attempt in its file that are numbered above `after`.
  [[nodiscard]] std::vector<common::Event> events_of(const common::TrialId& trial, common::AttemptNumber attempt,
                                                     std::int64_t after) const;
  /// Number of the newest event of one attempt on record.
  [[nodiscard]] std::int64_t last_event(const common::TrialId& trial, common::AttemptNumber attempt) const;
  /// Measured MACs per second of devices asked for like this; empty when unknown.
  [[nodiscard]] std::optional<sweeps::Speed> measured_speed(const Ask& ask) const;

  [[nodiscard]] const common::StudyPaths& paths() const { return paths_; }

 private:
  void put_cells(const sweeps::Sweep& sweep);
  /// Attempts that have a folder but no record (the database was deleted) are put on record as running, so that
  /// `past` closes them by what their files say, and no number is used twice.
  void adopt_attempts();

  common::StudyPaths paths_;
  common::FileLock lock_;
  std::unique_ptr<results::ResultsWriter> writer_;
  std::unordered_map<common::TrialId, const sweeps::TrialSpec*> specs_;
  std::size_t num_foreign_ = 0;
};

/// The cell as the database keeps it.
[[nodiscard]] results::TrialRecord record_of(const sweeps::Cell& cell, std::int64_t position);

}  // namespace ditscale::orchestrator
