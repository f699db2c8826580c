#pragma once

#include <cstdint>
#include <optional>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "results/records.hpp"

namespace ditscale::results {

/// Rows of `metrics`, and `metric_summaries`, which sums up those of each trial that count: v_trials needs no more, and
/// a study may have 50 million. A row counts while no newer attempt has its step. Belongs to one connection, inside
/// whose transactions it works.
class MetricRows {
 public:
  explicit MetricRows(SQLite::Database& database);

  /// Takes one metric in. Its trial's summary is written with the next trial's first metric, or by `finish`.
  /// Throws CorruptData when its body has no step.
  void put(const AttemptEvent& event);
  /// Writes what is left, before the transaction ends.
  void finish();
  /// After a transaction that was undone.
  void forget() { open_.reset(); }

 private:
  /// A trial's summary, ahead of its row.
  struct Summary {
    common::TrialId trial;
    std::int64_t num_metrics = 0;
    std::optional<std::int64_t> last_step;
    std::optional<double> last_loss;
    double rate_sum = 0;
    std::int64_t num_rates = 0;
  };
  void open(const common::TrialId& trial);
  void put_row(const AttemptEvent& event, std::int64_t step);
  void put_again(const AttemptEvent& event, std::int64_t step);

  SQLite::Statement put_;
  SQLite::Statement read_summary_;
  SQLite::Statement put_summary_;
  SQLite::Statement uncount_;
  SQLite::Statement count_;
  std::optional<Summary> open_;
};

}  // namespace ditscale::results
