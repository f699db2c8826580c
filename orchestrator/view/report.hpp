#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "common/trial_paths.hpp"
#include "results/records.hpp"

namespace ditscale::orchestrator {

/// One trial's result.
struct ReportRow {
  results::TrialRecord trial;
  std::optional<double> fid;
  std::optional<double> loss;
  std::optional<std::int64_t> steps_done;
  std::optional<double> seconds;
  /// Mean over its metrics.
  std::optional<double> images_per_s;
  std::int64_t num_attempts = 0;
  /// The sweep file no longer has it.
  bool is_foreign = false;
};

/// How a study stands, by its database.
struct Report {
  std::string name;
  common::StudyPaths paths;
  /// In the order of the sweep file.
  std::vector<ReportRow> rows;
  /// Devices of the nodes that are there now; 0 when nothing runs.
  std::int64_t num_cpus = 0;
  std::int64_t num_gpus = 0;
  /// Trials in the database that the sweep file no longer has.
  std::size_t num_foreign = 0;

  /// False while there is none.
  [[nodiscard]] bool every_trial_has_ended() const;
};

/// Reads the database of a study. With `cells`, only these trials are reported and the others are counted. The FID is
/// the newest one of the trial's first entry under `evaluate` that has one, see is_shown_fid. Errors are those of
/// ResultsReader.
[[nodiscard]] Report read_report(const common::StudyPaths& paths,
                                 const std::optional<std::set<common::TrialId>>& cells);

/// Of a report on all trials: marks and counts those that are not among `cells`.
void mark_foreign(Report& report, const std::set<common::TrialId>& cells);

/// For a study that no run works on: what was running when its run ended is lost, and no node is there.
void take_as_left_behind(Report& report);

/// A table, a line on each trial that did not succeed, and where things are. The table is as wide as a terminal of so
/// many columns, see fitted_table_text.
[[nodiscard]] std::string report_text(const Report& report, std::size_t columns = 0);
[[nodiscard]] common::Json report_json(const Report& report);

}  // namespace ditscale::orchestrator
