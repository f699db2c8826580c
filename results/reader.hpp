#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "results/records.hpp"
#include "results/stored_json.hpp"
#include "sweeps/spec/speed.hpp"

namespace ditscale::results {

/// The study a database belongs to.
struct SweepRow {
  std::string name;
  std::string description;
};

/// A trial with how far it is: one row of v_trials.
struct TrialRow {
  TrialRecord trial;
  /// Steps the newest attempt with any progress has behind it.
  std::optional<std::int64_t> steps_done;
  /// Loss of the last metric; empty when there is none or it was not finite.
  std::optional<double> last_loss;
  /// Mean over the metrics.
  std::optional<double> images_per_s;
  std::int64_t num_attempts = 0;
  /// Seconds of all attempts that ended.
  std::optional<double> seconds;
};

/// A trial whose configuration is read only when it is asked for: `row.trial.spec` and `row.trial.axes` are left null.
struct OutlinedTrial {
  TrialRow row;
  StoredJson spec;
  StoredJson axes;
  /// Out of the configuration; 0, or empty, where it does not say.
  std::int64_t depth = 0, width = 0, heads = 0, patch = 0, global_batch = 0, planned_steps = 0;
  std::string block;
  std::optional<double> mlp_ratio;
};

/// One line of a training curve: a row of v_metrics (the newest attempt of each step).
struct MetricRow {
  common::TrialId trial;
  std::int64_t step = 0;
  std::optional<std::int64_t> images;
  std::optional<double> loss, loss_simple, loss_vlb, grad_norm, lr, images_per_s, time_s;
};

/// The loss of one step, out of a row of v_metrics.
struct LossRow {
  std::int64_t step = 0;
  double loss = 0;
};
enum class LossKind { kTotal, kSimple, kVlb };

/// One score: a row of v_evaluations (the newest attempt of each step and setting).
struct EvaluationRow {
  common::TrialId trial;
  std::int64_t step = 0;
  std::optional<std::int64_t> images;
  std::string settings_id;
  std::string metric;
  /// Empty when it could not be computed; `reason` says why then.
  std::optional<double> value;
  std::string reason;
  /// By the jackknife over groups of samples; empty when it is not known.
  std::optional<double> standard_error;
  /// Of the samples' features; empty when the score needs none.
  std::optional<std::int64_t> covariance_rank;
  /// Multiply-accumulates that the samples took, and how many they were; empty when the worker did not say.
  std::optional<double> sampling_macs;
  std::optional<std::int64_t> num_samples;
};

/// Everything that makes scores comparable, under its id.
struct SettingsRow {
  std::string id;
  /// A JSON object.
  common::Json document;
};

/// A value of a raw query: NULL, integer, real, or text (a blob is shown as text "<n bytes>").
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

/// Reads a results database; can change nothing in it. A file of an older version is read through a migrated copy in
/// memory; a newer one is a ConfigError that names both versions. Other errors are as in ResultsWriter. Several threads
/// may read through one object: SQLite lets one of them in at a time.
class ResultsReader {
 public:
  explicit ResultsReader(const std::filesystem::path& path);
  ~ResultsReader();
  ResultsReader(ResultsReader&&) noexcept;
  ResultsReader& operator=(ResultsReader&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const;
  /// Version found in the file.
  [[nodiscard]] int schema_version() const;
  [[nodiscard]] std::vector<SweepRow> sweeps() const;
  /// In the order of the sweep file.
  [[nodiscard]] std::vector<TrialRow> trials() const;
  [[nodiscard]] std::vector<common::TrialId> trial_ids() const;
  /// All trials, of many in a fraction of the time.
  [[nodiscard]] std::vector<OutlinedTrial> outlined_trials() const;
  [[nodiscard]] std::vector<AttemptRecord> attempts() const;
  /// By trial and step.
  [[nodiscard]] std::vector<DecisionRecord> decisions() const;
  /// By the time they joined.
  [[nodiscard]] std::vector<NodeRecord> nodes() const;
  /// Of one trial by step, the steps beyond `after_step`.
  [[nodiscard]] std::vector<MetricRow> metrics(const common::TrialId& trial, std::int64_t after_step = -1) const;
  /// Finite losses of one trial by step, the steps beyond `after_step`: of long curves much less to read than
  /// `metrics`.
  [[nodiscard]] std::vector<LossRow> losses(const common::TrialId& trial, LossKind kind,
                                            std::int64_t after_step = -1) const;
  /// Of one metric, or of all when `metric` is empty; by trial, then step.
  [[nodiscard]] std::vector<EvaluationRow> evaluations(const std::string& metric = {}) const;
  [[nodiscard]] std::vector<SettingsRow> settings() const;

  /// As ResultsWriter's.
  [[nodiscard]] std::optional<sweeps::Speed> measured_speed(std::int64_t cpus, std::int64_t gpus,
                                                            std::int64_t processes) const;

  /// The newest attempts behind that, newest first.
  [[nodiscard]] std::vector<sweeps::MeasuredRun> measured_runs(std::int64_t cpus, std::int64_t gpus,
                                                               std::int64_t processes) const;

  using OnColumns = std::function<void(const std::vector<std::string>&)>;
  using OnRow = std::function<void(const std::vector<SqlValue>&)>;
  /// Runs one SELECT of the user's. Anything that would write, attach a file or load code is refused, as is a second
  /// statement: UsageError, as for SQL that does not parse.
  void query(const std::string& sql, const OnColumns& on_columns, const OnRow& on_row) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ditscale::results
