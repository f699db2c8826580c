#include "results/reader.hpp"

#include <unordered_map>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Column.h>

#include "results/storage/attempt_rows.hpp"
#include "results/storage/database.hpp"
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

std::unique_ptr<SQLite::Database> migrated_copy(SQLite::Database& old, const std::filesystem::path& path) {
  auto copy = std::make_unique<SQLite::Database>(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  SQLite::Backup(*copy, old).executeStep(-1);
  migrate(*copy, path);
  return copy;
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
  std::vector<Row> rows(const char* sql, Make make, const Values&... values) const {
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

std::vector<AttemptRecord> ResultsReader::attempts() const {
  return translating(impl_->path, [&] { return read_attempt_rows(*impl_->database); });
}

std::vector<MetricRow> ResultsReader::metrics(const common::TrialId& trial, std::int64_t after_step) const {
  return impl_->rows<MetricRow>(
      "SELECT trial, step, images, loss, loss_simple, loss_vlb, grad_norm, lr, images_per_s, time_s FROM v_metrics "
      "WHERE trial = ? AND step > ? ORDER BY step",
      [](const SQLite::Statement& row) {
        return MetricRow{common::TrialId(row.getColumn(0).getString()),
                         row.getColumn(1).getInt64(),
                         integer_at(row, 2),
                         real_at(row, 3),
                         real_at(row, 4),
                         real_at(row, 5),
                         real_at(row, 6),
                         real_at(row, 7),
                         real_at(row, 8),
                         real_at(row, 9)};
      },
      trial.str(), after_step);
}

std::vector<EvaluationRow> ResultsReader::evaluations(const std::string& metric) const {
  return impl_->rows<EvaluationRow>(
      "SELECT trial, step, images, settings_id, metric, value, reason FROM v_evaluations "
      "WHERE ?1 = '' OR metric = ?1 ORDER BY trial, step, settings_id, metric",
      [](const SQLite::Statement& row) {
        return EvaluationRow{common::TrialId(row.getColumn(0).getString()),
                             row.getColumn(1).getInt64(),
                             integer_at(row, 2),
                             row.getColumn(3).getString(),
                             row.getColumn(4).getString(),
                             real_at(row, 5),
                             row.getColumn(6).getString()};
      },
      metric);
}

std::vector<SettingsRow> ResultsReader::settings() const {
  return impl_->rows<SettingsRow>("SELECT id, document FROM settings ORDER BY id", [](const SQLite::Statement& row) {
    return SettingsRow{row.getColumn(0).getString(),
                       common::Json::parse(row.getColumn(1).getString(), nullptr, /*allow_exceptions=*/false)};
  });
}

std::optional<double> ResultsReader::measured_macs_per_s(std::int64_t cpus, std::int64_t gpus,
                                                         std::int64_t processes) const {
  return translating(impl_->path, [&] { return median_macs_per_s(*impl_->database, cpus, gpus, processes); });
}

void ResultsReader::query(const std::string& sql, const OnColumns& on_columns, const OnRow& on_row) const {
  translating(impl_->path, [&] { run_select(*impl_->database, sql, on_columns, on_row); });
}

}  // namespace ditscale::results
