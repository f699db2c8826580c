#include "results/storage/metric_rows.hpp"

#include <array>
#include <string_view>

#include <SQLiteCpp/Column.h>

#include "common/error.hpp"
#include "results/storage/statement.hpp"

namespace ditscale::results {

using common::Json;

namespace {

/// A row that holds its event never gives way, for its columns stand nowhere else; one whose event is kept elsewhere
/// takes the columns of the newest such event, and none that it would have to hold (?12, ?13).
constexpr const char* kPut = R"sql(
INSERT INTO metrics(trial, step, attempt, images, loss, loss_simple, loss_vlb, grad_norm, lr, images_per_s, time_s,
                    event, event_time_s)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT(trial, step, attempt) DO UPDATE SET
  images = ?4, loss = ?5, loss_simple = ?6, loss_vlb = ?7, grad_norm = ?8, lr = ?9, images_per_s = ?10, time_s = ?11
  WHERE ?12 IS NULL AND metrics.event IS NULL)sql";

constexpr const char* kFind = "SELECT 1 FROM metrics WHERE trial = ? AND step = ? AND attempt = ? AND event = ?";

constexpr const char* kReadSummary =
    "SELECT num_metrics, last_step, last_loss, rate_sum, num_rates FROM metric_summaries WHERE trial = ?";

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

struct Field {
  std::string_view name;
  std::optional<double> Metric::*value;
};

/// In the order of a JSON object's members.
constexpr std::array<Field, 7> kFields{{{"grad_norm", &Metric::grad_norm},
                                        {"images_per_s", &Metric::images_per_s},
                                        {"loss", &Metric::loss},
                                        {"loss_simple", &Metric::loss_simple},
                                        {"loss_vlb", &Metric::loss_vlb},
                                        {"lr", &Metric::lr},
                                        {"time_s", &Metric::time_s}}};

/// Empty without a step. Members of another type than their column's are left out.
std::optional<Metric> metric_in(const Json& body) {
  Metric metric;
  bool has_step = false;
  auto field = kFields.begin();
  for (const auto& [name, value] : body.get_ref<const Json::object_t&>()) {
    if (name == "step" && value.is_number_integer()) {
      metric.step = value.get<std::int64_t>();
      has_step = true;
    } else if (name == "images" && value.is_number_integer()) {
      metric.images = value.get<std::int64_t>();
    } else {
      while (field != kFields.end() && field->name < name) ++field;
      const bool known = field != kFields.end() && field->name == name;
      if (known && value.is_number()) metric.*field->value = value.get<double>();
      metric.complete &= known && (value.is_number() || value.is_null());
    }
  }
  return has_step ? std::optional(metric) : std::nullopt;
}

}  // namespace

MetricRows::MetricRows(SQLite::Database& database)
    : put_(database, kPut),
      find_(database, kFind),
      read_summary_(database, kReadSummary),
      put_summary_(database, "INSERT OR REPLACE INTO metric_summaries VALUES(?, ?, ?, ?, ?, ?)"),
      uncount_(database, kUncount),
      count_(database, kCount) {}

bool MetricRows::holds(const AttemptEvent& event) {
  const auto step = event.event.body.find("step");
  if (step == event.event.body.end() || !step->is_number_integer()) return false;
  open(event.trial);
  if (is_beyond_last(step->get<std::int64_t>())) return false;
  bind_all(find_, event.trial.str(), step->get<std::int64_t>(), common::to_int(event.attempt), event.event.number);
  const bool found = find_.executeStep();
  find_.reset();
  return found;
}

bool MetricRows::put_whole(const AttemptEvent& event) {
  const auto metric = metric_in(event.event.body);
  return metric && metric->complete && put(event, *metric, /*whole=*/true);
}

void MetricRows::put_columns(const AttemptEvent& event) {
  const auto metric = metric_in(event.event.body);
  if (!metric) throw common::CorruptData("its body has no step");
  put(event, *metric, /*whole=*/false);
}

void MetricRows::finish() {
  if (open_ && open_->last_step) {
    execute(put_summary_, open_->trial.str(), open_->num_metrics, *open_->last_step, open_->last_loss, open_->rate_sum,
            open_->num_rates);
  }
  open_.reset();
}

void MetricRows::open(const common::TrialId& trial) {
  if (open_ && open_->trial == trial) return;
  finish();
  open_.emplace().trial = trial;
  bind_all(read_summary_, trial.str());
  if (read_summary_.executeStep()) {
    open_->num_metrics = read_summary_.getColumn(0).getInt64();
    open_->last_step = read_summary_.getColumn(1).getInt64();
    if (!read_summary_.isColumnNull(2)) open_->last_loss = read_summary_.getColumn(2).getDouble();
    open_->rate_sum = read_summary_.getColumn(3).getDouble();
    open_->num_rates = read_summary_.getColumn(4).getInt64();
  }
  read_summary_.reset();
}

bool MetricRows::put(const AttemptEvent& event, const Metric& metric, bool whole) {
  open(event.trial);
  if (!is_beyond_last(metric.step)) return put_again(event, metric, whole);
  put_row(event, metric, whole);
  ++open_->num_metrics;
  open_->last_step = metric.step;
  open_->last_loss = metric.loss;
  open_->rate_sum += metric.images_per_s.value_or(0);
  open_->num_rates += metric.images_per_s ? 1 : 0;
  return true;
}

bool MetricRows::put_row(const AttemptEvent& event, const Metric& metric, bool whole) {
  return execute(put_, event.trial.str(), metric.step, common::to_int(event.attempt), metric.images, metric.loss,
                 metric.loss_simple, metric.loss_vlb, metric.grad_norm, metric.lr, metric.images_per_s, metric.time_s,
                 whole ? std::optional(event.event.number) : std::nullopt,
                 whole ? std::optional(event.event.time_s) : std::nullopt) > 0;
}

/// A step that this attempt, an earlier or a later one may have done already.
bool MetricRows::put_again(const AttemptEvent& event, const Metric& metric, bool whole) {
  finish();
  const std::int32_t attempt = common::to_int(event.attempt);
  execute(uncount_, event.trial.str(), metric.step, attempt);
  const bool changed = put_row(event, metric, whole);
  execute(count_, event.trial.str(), metric.step, attempt);
  return changed;
}

}  // namespace ditscale::results
