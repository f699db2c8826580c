#include "results/maintenance/merge.hpp"

#include <array>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include "common/error.hpp"
#include "results/maintenance/study_lock.hpp"
#include "results/storage/database.hpp"
#include "results/storage/schema.hpp"
#include "results/storage/statement.hpp"

namespace ditscale::results {

namespace {

/// Which of the source's attempts are taken, and their numbers in the target: those that are new there, and those of
/// which it has an older copy (`stale`).
constexpr const char* kMapAttempts = R"sql(
CREATE TEMP TABLE attempt_map AS
SELECT a.trial, a.number,
       CASE WHEN NOT EXISTS (SELECT 1 FROM main.attempts m WHERE m.trial = a.trial AND m.number = a.number)
            THEN a.number
            ELSE (SELECT max(m.number) FROM (SELECT number FROM main.attempts WHERE trial = a.trial
                                             UNION SELECT number FROM source.attempts WHERE trial = a.trial) m)
                 + row_number() OVER (PARTITION BY a.trial ORDER BY a.number) END AS new_number,
       0 AS stale
FROM source.attempts a
WHERE NOT EXISTS (SELECT 1 FROM main.attempts m WHERE m.trial = a.trial AND m.host = a.host
                  AND m.started_s = a.started_s AND m.devices = a.devices)
UNION ALL
SELECT a.trial, a.number, m.number, 1
FROM source.attempts a JOIN main.attempts m ON m.trial = a.trial AND m.host = a.host
                       AND m.started_s = a.started_s AND m.devices = a.devices
WHERE a.last_event > m.last_event OR (a.last_event = m.last_event AND a.ended_s IS NOT NULL AND m.ended_s IS NULL))sql";

/// A node that was there at the last merge may have left since.
constexpr const char* kCopyNodes = R"sql(
INSERT INTO main.nodes SELECT * FROM source.nodes WHERE true
ON CONFLICT(joined_s, agent, host) DO UPDATE SET left_s = excluded.left_s WHERE left_s IS NULL)sql";

/// What belongs to an attempt.
constexpr std::array<const char*, 5> kAttemptTables{"events", "metrics", "evaluations", "checkpoints", "samples"};

constexpr const char* kCopyTrials = R"sql(
INSERT INTO main.trials SELECT * FROM source.trials WHERE id NOT IN (SELECT id FROM main.trials))sql";

/// Shared trials of which the source tells the better state.
constexpr const char* kFindBetterTrials = R"sql(
CREATE TEMP TABLE better_trials AS
SELECT s.id FROM source.trials s JOIN main.trials m ON m.id = s.id
WHERE m.state <> 'succeeded'
  AND (s.state = 'succeeded' OR coalesce(s.state_since_s, 0) > coalesce(m.state_since_s, 0)))sql";

constexpr const char* kBetterStates = R"sql(
UPDATE main.trials SET (state, reason, state_since_s) =
  (SELECT s.state, s.reason, s.state_since_s FROM source.trials s WHERE s.id = main.trials.id)
WHERE id IN (SELECT id FROM better_trials))sql";

/// A decision belongs to the state that it led to.
constexpr const char* kCopyDecisions = R"sql(
INSERT OR REPLACE INTO main.decisions SELECT * FROM source.decisions
WHERE trial IN (SELECT id FROM better_trials) OR (trial, step) NOT IN (SELECT trial, step FROM main.decisions))sql";

/// Of the trials that have got attempts.
constexpr const char* kSummariseMetrics = R"sql(
DELETE FROM main.metric_summaries WHERE trial IN (SELECT trial FROM attempt_map);
INSERT INTO main.metric_summaries
SELECT v.trial, count(*), max(v.step),
       (SELECT m.loss FROM main.v_metrics m WHERE m.trial = v.trial ORDER BY m.step DESC LIMIT 1),
       coalesce(sum(v.images_per_s), 0.0), count(v.images_per_s)
FROM main.v_metrics v WHERE v.trial IN (SELECT trial FROM attempt_map) GROUP BY v.trial)sql";

/// Columns of a table, with the attempt's number taken from the map.
std::string columns_of(SQLite::Database& database, const std::string& table, const std::string& attempt,
                       const std::string& replaced) {
  SQLite::Statement ask(database, "SELECT name FROM pragma_table_info(?)");
  ask.bind(1, table);
  std::string columns;
  while (ask.executeStep()) {
    const std::string name = ask.getColumn(0).getString();
    columns += (columns.empty() ? "" : ", ") + (name == attempt ? replaced : "r." + name);
  }
  return columns;
}

int copy_rows(SQLite::Database& database, const std::string& table, const std::string& attempt) {
  const std::string columns = columns_of(database, table, attempt, "k.new_number");
  return database.exec(fmt::format(
      "INSERT INTO main.{0} SELECT {1} FROM source.{0} r JOIN attempt_map k ON k.trial = r.trial AND k.number = r.{2}",
      table, columns, attempt));
}

/// Of attempts that went on, what the target has of them. Returns how many there are.
int drop_stale(SQLite::Database& database) {
  const auto drop = [&](const std::string& table, const std::string& attempt) {
    return database.exec(
        fmt::format("DELETE FROM main.{0} WHERE trial IN (SELECT trial FROM attempt_map WHERE stale) AND "
                    "(trial, {1}) IN (SELECT trial, new_number FROM attempt_map WHERE stale)",
                    table, attempt));
  };
  for (const char* table : kAttemptTables) drop(table, "attempt");
  return drop("attempts", "number");
}

/// The source brought up to date in memory; null when it is of this version.
std::unique_ptr<SQLite::Database> updated(const std::filesystem::path& source) {
  const auto database = open_for_reading(source);
  const int version = schema_version_of(*database, source);
  if (version == 0) throw common::ConfigError(fmt::format("{}: the database is empty", source.string()));
  return version < kSchemaVersion ? migrated_copy(*database, source) : nullptr;
}

void attach(SQLite::Database& database, const std::string& file) {
  SQLite::Statement attach(database, "ATTACH DATABASE ? AS source");
  execute(attach, file);
}

void attach_copy(SQLite::Database& database, SQLite::Database& original) {
  attach(database, ":memory:");
  SQLite::Backup(database, "source", original, "main").executeStep(-1);
}

/// `old`: its copy in memory where it is of an older version, else null. A file in WAL mode cannot be attached where
/// SQLite may not make its side files.
void attach_source(SQLite::Database& database, const std::filesystem::path& source, SQLite::Database* old) {
  if (old != nullptr) return attach_copy(database, *old);
  try {
    attach(database, source.string());
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode() & 0xFF;
    if (code != SQLITE_READONLY && code != SQLITE_CANTOPEN) throw;
    attach_copy(database, *open_for_reading(source));
  }
}

/// Whether reading all of it fails.
bool is_damaged(const std::filesystem::path& file) {
  try {
    return open_for_reading(file)->execAndGet("PRAGMA quick_check(1)").getString() != "ok";
  } catch (const std::exception&) {
    return true;
  }
}

/// SQLite says what went wrong, but not in which of the two files.
[[noreturn]] void throw_translated_of_both(const std::filesystem::path& source, const std::filesystem::path& target,
                                           const SQLite::Exception& error) {
  const int code = error.getErrorCode() & 0xFF;
  const bool of_a_file = code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_IOERR;
  throw_translated(of_a_file && is_damaged(source) ? source : target, error);
}

}  // namespace

Merged merge_database(const std::filesystem::path& source, const std::filesystem::path& target) {
  const auto old = translating(source, [&] { return updated(source); });
  if (std::filesystem::exists(target) && std::filesystem::equivalent(source, target)) {
    throw common::UsageError(fmt::format("{}: a database cannot be merged into itself", source.string()));
  }
  const auto lock = lock_study_of(target);
  try {
    const auto database = open_for_writing(target);
    migrate(*database, target);
    translating(source, [&] { attach_source(*database, source, old.get()); });
    SQLite::Transaction whole(*database, SQLite::TransactionBehavior::IMMEDIATE);
    Merged merged;
    database->exec(
        "INSERT INTO main.sweeps SELECT * FROM source.sweeps WHERE name NOT IN (SELECT name FROM main.sweeps)");
    merged.shared_trials =
        database->execAndGet("SELECT count(*) FROM source.trials WHERE id IN (SELECT id FROM main.trials)").getInt64();
    merged.new_trials = database->exec(kCopyTrials);
    database->exec(kMapAttempts);
    database->exec(kFindBetterTrials);
    database->exec(kBetterStates);
    database->exec("INSERT OR IGNORE INTO main.settings SELECT * FROM source.settings");
    merged.continued_attempts = drop_stale(*database);
    merged.new_attempts = copy_rows(*database, "attempts", "number") - merged.continued_attempts;
    for (const char* table : kAttemptTables) copy_rows(*database, table, "attempt");
    database->exec(kSummariseMetrics);
    database->exec(kCopyDecisions);
    database->exec(kCopyNodes);
    database->exec("DROP TABLE attempt_map; DROP TABLE better_trials");
    whole.commit();
    return merged;
  } catch (const SQLite::Exception& error) {
    throw_translated_of_both(source, target, error);
  }
}

}  // namespace ditscale::results
