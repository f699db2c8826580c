#pragma once

#include <cstdint>
#include <optional>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "results/records.hpp"

namespace ditscale::results {

/// The columns of a metric.
struct Metric {
  std::int64_t step = 0;
  std::optional<std::int64_t> images;
  std::optional<double> grad_norm, images_per_s, loss, loss_simple, loss_vlb, lr, time_s;
  /// The event's body says nothing else.
  bool complete = true;
};

/// Rows of `metrics`, and `metric_summaries`, which sums up those of each trial that count: v_trials needs no more, and
/// a study may have 50 million. A row counts while no newer attempt has its step. Belongs to one connection, inside
/// whose transactions it works.
class MetricRows {
 public:
  explicit MetricRows(SQLite::Database& database);

  /// True when a row holds just this event.
  [[nodiscard]] bool holds(const AttemptEvent& event);
  /// Takes in a metric whose row will hold all of the event. False when it cannot (the body says more, or the attempt
  /// has a row of this step already): nothing has changed then.
  [[nodiscard]] bool put_whole(const AttemptEvent& event);
  /// Takes in the columns of an event that is kept elsewhere. Throws CorruptData when its body has no step.
  void put_columns(const AttemptEvent& event);
  /// Writes what is left of the summaries, before the transaction ends.
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
  bool put(const AttemptEvent& event, const Metric& metric, bool whole);
  bool put_row(const AttemptEvent& event, const Metric& metric, bool whole);
  bool put_again(const AttemptEvent& event, const Metric& metric, bool whole);
  [[nodiscard]] bool is_beyond_last(std::int64_t step) const { return !open_->last_step || step > *open_->last_step; }

  SQLite::Statement put_;
  SQLite::Statement find_;
  SQLite::Statement read_summary_;
  SQLite::Statement put_summary_;
  SQLite::Statement uncount_;
  SQLite::Statement count_;
  std::optional<Summary> open_;
};

}  // namespace ditscale::results
