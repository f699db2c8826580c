#include "results/storage/metric_rows.hpp"

#include <SQLiteCpp/Column.h>

#include "common/error.hpp"
#include "results/storage/body_fields.hpp"
#include "results/storage/statement.hpp"

namespace ditscale::results {

namespace {

/// The row of (?1 trial, ?2 step) that counts is about to be replaced by one of attempt ?3.
constexpr const char* kUncount = R"sql(
UPDATE metric_summaries SET (num_metrics, rate_sum, num_rates) =
  (SELECT num_metrics - 1, rate_sum - coalesce(m.images_per_s, 0.0), num_rates - (m.images_per_s IS NOT NULL)
   FROM metrics m WHERE m.trial = ?1 AND m.step = ?2 ORDER BY m.attempt DESC LIMIT 1)
WHERE trial = ?1 AND (SELECT max(m.attempt) FROM metrics m WHERE m.trial = ?1 AND m.step = ?2) <= ?3)sql";

/// The row of (?1 trial, ?2 step, ?3 attempt) has come; it counts unless a newer attempt has its step.
constexpr const char* kCount = R"sql(
UPDATE metric_summaries SET
  num_metrics = num_metrics + 1, rate_sum = rate_sum + coalesce(m.images_per_s, 0.0),
  num_rates = num_rates + (m.images_per_s IS NOT NULL),
  last_loss = CASE WHEN m.step >= last_step THEN m.loss ELSE last_loss END, last_step = max(last_step, m.step)
FROM metrics m
WHERE metric_summaries.trial = ?1 AND m.trial = ?1 AND m.step = ?2 AND m.attempt = ?3
  AND NOT EXISTS (SELECT 1 FROM metrics n WHERE n.trial = ?1 AND n.step = ?2 AND n.attempt > ?3))sql";

template <typename Value>
std::optional<Value> optional_of(const SQLite::Column& column, Value (SQLite::Column::*get)() const noexcept) {
  return column.isNull() ? std::nullopt : std::optional<Value>((column.*get)());
}

}  // namespace

MetricRows::MetricRows(SQLite::Database& database)
    : put_(database, "INSERT OR REPLACE INTO metrics VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      read_summary_(
          database,
          "SELECT num_metrics, last_step, last_loss, rate_sum, num_rates FROM metric_summaries WHERE trial = ?"),
      put_summary_(database, "INSERT OR REPLACE INTO metric_summaries VALUES(?, ?, ?, ?, ?, ?)"),
      uncount_(database, kUncount),
      count_(database, kCount) {}

void MetricRows::put(const AttemptEvent& event) {
  const auto step = integer_in(event.event.body, "step");
  if (!step) throw common::CorruptData("its body has no step");
  if (!open_ || open_->trial != event.trial) {
    finish();
    open(event.trial);
  }
  // A step beyond the last is new: nearly always, and cheap.
  if (open_->last_step && *step <= *open_->last_step) return put_again(event, *step);
  put_row(event, *step);
  const auto rate = number_in(event.event.body, "images_per_s");
  ++open_->num_metrics;
  open_->last_step = step;
  open_->last_loss = number_in(event.event.body, "loss");
  open_->rate_sum += rate.value_or(0);
  open_->num_rates += rate ? 1 : 0;
}

void MetricRows::finish() {
  if (open_ && open_->last_step) {
    execute(put_summary_, open_->trial.str(), open_->num_metrics, *open_->last_step, open_->last_loss, open_->rate_sum,
            open_->num_rates);
  }
  open_.reset();
}

void MetricRows::open(const common::TrialId& trial) {
  bind_all(read_summary_, trial.str());
  open_.emplace().trial = trial;
  if (read_summary_.executeStep()) {
    open_->num_metrics = read_summary_.getColumn(0).getInt64();
    open_->last_step = read_summary_.getColumn(1).getInt64();
    open_->last_loss = optional_of(read_summary_.getColumn(2), &SQLite::Column::getDouble);
    open_->rate_sum = read_summary_.getColumn(3).getDouble();
    open_->num_rates = read_summary_.getColumn(4).getInt64();
  }
  read_summary_.reset();
}

void MetricRows::put_row(const AttemptEvent& event, std::int64_t step) {
  const common::Json& body = event.event.body;
  execute(put_, event.trial.str(), step, common::to_int(event.attempt), integer_in(body, "images"),
          number_in(body, "loss"), number_in(body, "loss_simple"), number_in(body, "loss_vlb"),
          number_in(body, "grad_norm"), number_in(body, "lr"), number_in(body, "images_per_s"),
          number_in(body, "time_s"));
}

/// A step that an earlier attempt, or a later one, may have done too.
void MetricRows::put_again(const AttemptEvent& event, std::int64_t step) {
  finish();
  const std::int32_t attempt = common::to_int(event.attempt);
  execute(uncount_, event.trial.str(), step, attempt);
  put_row(event, step);
  execute(count_, event.trial.str(), step, attempt);
  open(event.trial);
}

}  // namespace ditscale::results
