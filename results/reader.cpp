#include "results/reader.hpp"

#include <unordered_map>

#include <SQLiteCpp/Column.h>

#include "results/storage/attempt_rows.hpp"
#include "results/storage/database.hpp"
#include "results/storage/decision_rows.hpp"
#include "results/storage/node_rows.hpp"
#include "results/storage/raw_query.hpp"
#include "results/storage/schema.hpp"
#include "results/storage/statement.hpp"
#include "results/storage/trial_rows.hpp"

namespace ditscale::results {

namespace {

std::optional<double> real_at(const SQLite::Statement& row, int column) {
  if (row.isColumnNull(column)) return std::nullopt;
  return row.getColumn(column).getDouble();
}

std::optional<std::int64_t> integer_at(const SQLite::Statement& row, int column) {
  if (row.isColumnNull(column)) return std::nullopt;
  return row.getColumn(column).getInt64();
}

/// Rows of one trial's metrics, the newest attempt's of each step. Beside max(attempt), SQLite takes the other columns
/// from the row that has it; the key gives the order.
constexpr const char* kOfOneTrial =
    "max(attempt) FROM metrics WHERE trial = ? AND step > ? GROUP BY step ORDER BY step";

const char* column_of(LossKind kind) {
  switch (kind) {
    case LossKind::kTotal:
      return "loss";
    case LossKind::kSimple:
      return "loss_simple";
    case LossKind::kVlb:
      break;
  }
  return "loss_vlb";
}

std::string text_at(const SQLite::Statement& row, int column) { return row.getColumn(column).getString(); }

/// 0 for what is no integer.
std::int64_t integer_or_zero(const SQLite::Statement& row, int column) {
  return row.getColumn(column).isInteger() ? row.getColumn(column).getInt64() : 0;
}

constexpr const char* kOutlines =
    "SELECT t.id, t.position, t.label, t.axes, t.spec, t.total_parameters, t.trainable_parameters, t.forward_macs, "
    "t.training_flops, t.state, t.reason, v.steps_done, v.last_loss, v.images_per_s, v.attempts, v.seconds, v.depth, "
    "v.width, v.heads, v.patch, v.global_batch, v.steps, v.block, json_extract(t.spec, '$.model.mlp_ratio') "
    "FROM trials t JOIN v_trials v ON v.id = t.id ORDER BY t.position, t.id";

OutlinedTrial outline_of(const SQLite::Statement& row) {
  OutlinedTrial outline;
  TrialRecord& trial = outline.row.trial;
  trial.id = common::TrialId(text_at(row, 0));
  trial.position = row.getColumn(1).getInt64();
  trial.label = text_at(row, 2);
  trial.axes = nullptr;
  outline.axes = StoredJson(text_at(row, 3));
  outline.spec = StoredJson(text_at(row, 4));
  trial.total_parameters = row.getColumn(5).getInt64();
  trial.trainable_parameters = row.getColumn(6).getInt64();
  trial.forward_macs = row.getColumn(7).getInt64();
  trial.training_flops = row.getColumn(8).getDouble();
  trial.state = stored_state(text_at(row, 9));
  trial.reason = text_at(row, 10);
  outline.row.steps_done = integer_at(row, 11);
  outline.row.last_loss = real_at(row, 12);
  outline.row.images_per_s = real_at(row, 13);
  outline.row.num_attempts = row.getColumn(14).getInt64();
  outline.row.seconds = real_at(row, 15);
  int column = 16;
  for (std::int64_t* field : {&outline.depth, &outline.width, &outline.heads, &outline.patch, &outline.global_batch,
                              &outline.planned_steps}) {
    *field = integer_or_zero(row, column++);
  }
  outline.block = text_at(row, 22);
  outline.mlp_ratio = real_at(row, 23);
  return outline;
}

}  // namespace

struct ResultsReader::Impl {
  explicit Impl(const std::filesystem::path& file) : path(file), database(open_for_reading(file)) {
    translating(path, [&] {
      version = schema_version_of(*database, path);
      if (version == 0)
        throw common::ConfigError(fmt::format("{}: the database is empty; run a sweep first", path.string()));
      if (version < kSchemaVersion) database = migrated_copy(*database, path);
    });
  }

  /// All rows of `sql`, each made by `make(statement)`.
  template <typename Row, typename Make, typename... Values>
  std::vector<Row> rows(const std::string& sql, Make make, const Values&... values) const {
    return translating(path, [&] {
      SQLite::Statement read(*database, sql);
      bind_all(read, values...);
      std::vector<Row> found;
      while (read.executeStep()) found.push_back(make(read));
      return found;
    });
  }

  std::filesystem::path path;
  std::unique_ptr<SQLite::Database> database;
  int version = 0;
};

ResultsReader::ResultsReader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}
ResultsReader::~ResultsReader() = default;
ResultsReader::ResultsReader(ResultsReader&&) noexcept = default;

const std::filesystem::path& ResultsReader::path() const { return impl_->path; }
int ResultsReader::schema_version() const { return impl_->version; }

std::vector<SweepRow> ResultsReader::sweeps() const {
  return impl_->rows<SweepRow>("SELECT name, description FROM sweeps ORDER BY name", [](const SQLite::Statement& row) {
    return SweepRow{row.getColumn(0).getString(), row.getColumn(1).getString()};
  });
}

std::vector<TrialRow> ResultsReader::trials() const {
  using Progress = std::pair<std::string, TrialRow>;
  const auto progress =
      impl_->rows<Progress>("SELECT id, steps_done, last_loss, images_per_s, attempts, seconds FROM v_trials",
                            [](const SQLite::Statement& row) {
                              return Progress{row.getColumn(0).getString(), TrialRow{{},
                                                                                     integer_at(row, 1),
                                                                                     real_at(row, 2),
                                                                                     real_at(row, 3),
                                                                                     row.getColumn(4).getInt64(),
                                                                                     real_at(row, 5)}};
                            });
  std::unordered_map<std::string, TrialRow> by_id(progress.begin(), progress.end());
  std::vector<TrialRow> trials;
  for (TrialRecord& record : translating(impl_->path, [&] { return read_trial_rows(*impl_->database); })) {
    TrialRow row = by_id[record.id.str()];
    row.trial = std::move(record);
    trials.push_back(std::move(row));
  }
  return trials;
}

std::vector<common::TrialId> ResultsReader::trial_ids() const {
  return impl_->rows<common::TrialId>("SELECT id FROM trials", [](const SQLite::Statement& row) {
    return common::TrialId(row.getColumn(0).getString());
  });
}

std::vector<OutlinedTrial> ResultsReader::outlined_trials() const {
  return impl_->rows<OutlinedTrial>(kOutlines, outline_of);
}

std::vector<AttemptRecord> ResultsReader::attempts() const {
  return translating(impl_->path, [&] { return read_attempt_rows(*impl_->database); });
}

std::vector<DecisionRecord> ResultsReader::decisions() const {
  return translating(impl_->path, [&] { return read_decision_rows(*impl_->database); });
}

std::vector<NodeRecord> ResultsReader::nodes() const {
  return translating(impl_->path, [&] { return read_node_rows(*impl_->database); });
}

std::vector<MetricRow> ResultsReader::metrics(const common::TrialId& trial, std::int64_t after_step) const {
  return impl_->rows<MetricRow>(
      fmt::format("SELECT step, images, loss, loss_simple, loss_vlb, grad_norm, lr, images_per_s, time_s, {}",
                  kOfOneTrial),
      [&trial](const SQLite::Statement& row) {
        return MetricRow{trial,
                         row.getColumn(0).getInt64(),
                         integer_at(row, 1),
                         real_at(row, 2),
                         real_at(row, 3),
                         real_at(row, 4),
                         real_at(row, 5),
                         real_at(row, 6),
                         real_at(row, 7),
                         real_at(row, 8)};
      },
      trial.str(), after_step);
}

std::vector<LossRow> ResultsReader::losses(const common::TrialId& trial, LossKind kind, std::int64_t after_step) const {
  std::vector<LossRow> found;
  translating(impl_->path, [&] {
    SQLite::Statement read(*impl_->database, fmt::format("SELECT step, {}, {}", column_of(kind), kOfOneTrial));
    bind_all(read, trial.str(), after_step);
    while (read.executeStep()) {
      if (const auto loss = real_at(read, 1)) found.push_back({read.getColumn(0).getInt64(), *loss});
    }
  });
  return found;
}

std::vector<EvaluationRow> ResultsReader::evaluations(const std::string& metric) const {
  return impl_->rows<EvaluationRow>(
      "SELECT trial, step, images, settings_id, metric, value, reason, standard_error, covariance_rank, "
      "sampling_macs, num_samples FROM v_evaluations "
      "WHERE ?1 = '' OR metric = ?1 ORDER BY trial, step, settings_id, metric",
      [](const SQLite::Statement& row) {
        return EvaluationRow{common::TrialId(row.getColumn(0).getString()),
                             row.getColumn(1).getInt64(),
                             integer_at(row, 2),
                             row.getColumn(3).getString(),
                             row.getColumn(4).getString(),
                             real_at(row, 5),
                             row.getColumn(6).getString(),
                             real_at(row, 7),
                             integer_at(row, 8),
                             real_at(row, 9),
                             integer_at(row, 10)};
      },
      metric);
}

std::vector<SettingsRow> ResultsReader::settings() const {
  return impl_->rows<SettingsRow>("SELECT id, document FROM settings ORDER BY id", [](const SQLite::Statement& row) {
    SettingsRow settings{row.getColumn(0).getString(), parse_stored(row.getColumn(1).getString())};
    if (settings.document.is_object()) return settings;
    throw common::CorruptData(
        fmt::format("the settings {} are no JSON object: {}", settings.id, common::shown(settings.document)));
  });
}

std::optional<sweeps::Speed> ResultsReader::measured_speed(std::int64_t cpus, std::int64_t gpus,
                                                           std::int64_t processes) const {
  return translating(impl_->path, [&] { return results::measured_speed(*impl_->database, cpus, gpus, processes); });
}

std::vector<sweeps::MeasuredRun> ResultsReader::measured_runs(std::int64_t cpus, std::int64_t gpus,
                                                              std::int64_t processes) const {
  return translating(impl_->path, [&] { return results::measured_runs(*impl_->database, cpus, gpus, processes); });
}

void ResultsReader::query(const std::string& sql, const OnColumns& on_columns, const OnRow& on_row) const {
  translating(impl_->path, [&] { run_select(*impl_->database, sql, on_columns, on_row); });
}

}  // namespace ditscale::results
