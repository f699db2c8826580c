#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "results/reader.hpp"
#include "sweeps/spec/speed.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::analysis {

/// One trial with what all commands show of it.
struct StudyTrial {
  /// Without spec and axes, which stand below.
  results::TrialRow row;
  results::StoredJson stored_spec;
  results::StoredJson stored_axes;
  /// "DiT-S/4" or "d4-w64-h4/7".
  std::string model;
  /// Side of a patch; 0 when the configuration does not say.
  std::int64_t patch = 0;
  std::int64_t planned_steps = 0;
  std::int64_t global_batch = 0;
  std::int64_t depth = 0;
  std::int64_t width = 0;
  /// "adaln_zero" …; empty when the configuration does not say.
  std::string block;
  /// False: the sweep file does not have its cell any more.
  bool in_sweep = true;

  /// The resolved configuration.
  [[nodiscard]] const common::Json& spec() const { return stored_spec.value(); }
  [[nodiscard]] const common::Json& axes() const { return stored_axes.value(); }
  [[nodiscard]] const common::TrialId& id() const { return row.trial.id; }
  [[nodiscard]] double gflops() const { return static_cast<double>(row.trial.forward_macs) / 1e9; }
  /// Real FLOPs (6 x MACs x images) spent after `step` steps.
  [[nodiscard]] double training_flops_after(std::int64_t step) const;
};

/// A results database as the commands use it: trials and scores in memory, metrics (there may be millions) read when
/// they are asked for.
struct Study {
  std::filesystem::path database;
  std::string name;
  std::vector<StudyTrial> trials;
  /// By trial, then step; with those extrapolated to infinitely many samples (infinite_samples.hpp).
  std::vector<results::EvaluationRow> evaluations;
  std::vector<results::SettingsRow> settings;
  std::vector<results::AttemptRecord> attempts;
  std::vector<results::NodeRecord> nodes;
  std::function<std::vector<results::MetricRow>(const common::TrialId&)> read_metrics;
  std::function<std::vector<results::LossRow>(const common::TrialId&, results::LossKind, std::int64_t after_step)>
      read_losses;
  /// Speed of past attempts on so many devices, for costs; empty when nothing was measured on them.
  std::function<std::optional<sweeps::Speed>(const sweeps::ResourceSpec&)> measured_speed;
  /// The attempts behind it.
  std::function<std::vector<sweeps::MeasuredRun>(const sweeps::ResourceSpec&)> measured_runs;

  /// Prepares the look-ups below; again after `trials` or `evaluations` changed.
  void index();

  /// Null when unknown.
  [[nodiscard]] const StudyTrial* find(const common::TrialId& id) const;
  /// Scores of one trial by step.
  [[nodiscard]] std::span<const results::EvaluationRow> scores_of(const common::TrialId& id) const;
  /// Scores of `metric` under `settings_id`, by trial (in the order of the sweep), then step.
  [[nodiscard]] std::vector<results::EvaluationRow> scores(const std::string& metric,
                                                           const std::string& settings_id) const;
  /// Metrics of one trial by step.
  [[nodiscard]] std::vector<results::MetricRow> metrics_of(const common::TrialId& id) const;
  /// Finite losses of one trial by step, those beyond `after_step`.
  [[nodiscard]] std::vector<results::LossRow> losses_of(const common::TrialId& id, results::LossKind kind,
                                                        std::int64_t after_step = -1) const;
  /// The score of a trial's last scored step; null when it has none.
  [[nodiscard]] const results::EvaluationRow* last_score(const common::TrialId& id, const std::string& metric,
                                                         const std::string& settings_id) const;
  /// Names of the scores that the database has: "fid" …
  [[nodiscard]] std::vector<std::string> score_names() const;

 private:
  std::unordered_map<common::TrialId, std::size_t> trial_places_;
  std::unordered_map<common::TrialId, std::pair<std::size_t, std::size_t>> score_places_;
};

/// A database without trials is a ConfigError that says what to do.
[[nodiscard]] Study load_study(const std::filesystem::path& database);

/// Where the database is: `db` when given, else `runs`/`sweep`/results.db, else the newest results.db below `runs`.
[[nodiscard]] std::filesystem::path find_database(const std::string& db, const std::string& runs,
                                                  const std::string& sweep);

}  // namespace ditscale::analysis
