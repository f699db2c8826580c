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

/// Attempts of the source that the target has not, also not under another number.
constexpr const char* kFindFreshAttempts = R"sql(
CREATE TEMP TABLE fresh_attempts AS
SELECT a.trial, a.number FROM source.attempts a
WHERE NOT EXISTS (SELECT 1 FROM main.attempts m WHERE m.trial = a.trial AND m.host = a.host
                  AND m.started_s = a.started_s AND m.devices = a.devices))sql";

/// Views take the highest number for the newest attempt. Where the numbers of both sides say otherwise (or are the
/// same), all attempts of the trial are numbered by their start; within one side numbers keep their order, whatever its
/// clock said, and no number falls: what a trial's folder has of later ones must stay unused.
constexpr const char* kNumberAttempts = R"sql(
CREATE TEMP TABLE numbering AS
WITH sides AS (
  SELECT 'main' AS side, trial, number, host, devices,
         max(started_s) OVER (PARTITION BY trial ORDER BY number) AS start_s
  FROM main.attempts WHERE trial IN (SELECT trial FROM fresh_attempts)
  UNION ALL
  SELECT 'source', trial, number, host, devices, max(started_s) OVER (PARTITION BY trial ORDER BY number)
  FROM source.attempts WHERE trial IN (SELECT trial FROM fresh_attempts)),
kept AS (
  SELECT * FROM sides WHERE side = 'main' OR (trial, number) IN (SELECT trial, number FROM fresh_attempts)),
mixed AS (
  SELECT DISTINCT s.trial FROM kept s JOIN kept m ON m.trial = s.trial
  WHERE s.side = 'source' AND m.side = 'main'
    AND (s.number = m.number OR (s.number < m.number) <> (s.start_s < m.start_s))),
ranked AS (
  SELECT side, trial, number,
         row_number() OVER (PARTITION BY trial ORDER BY start_s, number, host, devices) AS place
  FROM kept WHERE trial IN (SELECT trial FROM mixed))
SELECT side, trial, number,
       place + max(number - place) OVER (PARTITION BY trial ORDER BY place) AS new_number
FROM ranked)sql";

/// Which of the source's attempts are taken, and their numbers in the target: the fresh ones, and those of which it
/// has an older copy (`stale`).
constexpr const char* kMapAttempts = R"sql(
CREATE TEMP TABLE attempt_map AS
SELECT f.trial, f.number, coalesce(n.new_number, f.number) AS new_number, 0 AS stale
FROM fresh_attempts f LEFT JOIN numbering n ON n.side = 'source' AND n.trial = f.trial AND n.number = f.number
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

/// Trials whose state the source tells: new ones, and shared ones of which it has the better state.
constexpr const char* kFindToldTrials = R"sql(
CREATE TEMP TABLE told_trials AS
SELECT s.id FROM source.trials s LEFT JOIN main.trials m ON m.id = s.id
WHERE m.id IS NULL
   OR (m.state <> 'succeeded'
       AND (s.state = 'succeeded' OR coalesce(s.state_since_s, 0) > coalesce(m.state_since_s, 0))))sql";

constexpr const char* kBetterStates = R"sql(
UPDATE main.trials SET (state, reason, state_since_s) =
  (SELECT s.state, s.reason, s.state_since_s FROM source.trials s WHERE s.id = main.trials.id)
WHERE id IN (SELECT id FROM told_trials))sql";

/// Decisions go with the state that they led to. Where both have the same state, one side may have decided more since.
constexpr const char* kCopyDecisions = R"sql(
DELETE FROM main.decisions WHERE trial IN (SELECT id FROM told_trials);
INSERT OR IGNORE INTO main.decisions
SELECT d.* FROM source.decisions d JOIN source.trials s ON s.id = d.trial JOIN main.trials m ON m.id = d.trial
WHERE s.state = m.state AND coalesce(s.state_since_s, 0) = coalesce(m.state_since_s, 0))sql";

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

/// Whether attempts of the target get other numbers.
bool is_renumbered(SQLite::Database& database) {
  return database.execAndGet("SELECT count(*) FROM numbering WHERE side = 'main' AND new_number <> number").getInt64() >
         0;
}

/// Attempts are told apart by their numbers there, too: those of a trial's folder cannot be given others.
void refuse_beside_folders(const std::filesystem::path& target) {
  if (!std::filesystem::exists(target.parent_path() / "trials")) return;
  throw common::ConfigError(
      fmt::format("{}: the other database has attempts at its trials that are older, or have the same numbers, and the "
                  "folders beside it go by these numbers; merge both into a new file with --into NEW.db",
                  target.string()));
}

/// Gives the target's attempts the numbers that `numbering` has for them. Negative in between: numbers are unique.
void renumber(SQLite::Database& database) {
  database.exec("CREATE INDEX temp.numbering_of ON numbering(trial, number, side)");
  database.exec("PRAGMA defer_foreign_keys = ON");  // until the transaction ends
  const auto set_numbers = [&](const std::string& table, const std::string& attempt) {
    database.exec(fmt::format(
        "UPDATE main.{0} SET {1} = -(SELECT n.new_number FROM numbering n "
        "WHERE n.side = 'main' AND n.trial = {0}.trial AND n.number = {0}.{1}) "
        "WHERE trial IN (SELECT trial FROM numbering) AND "
        "(trial, {1}) IN (SELECT trial, number FROM numbering WHERE side = 'main' AND new_number <> number);"
        "UPDATE main.{0} SET {1} = -{1} WHERE {1} < 0 AND trial IN (SELECT trial FROM numbering)",
        table, attempt));
  };
  for (const char* table : kAttemptTables) set_numbers(table, "attempt");
  set_numbers("attempts", "number");
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
    database->exec(kFindToldTrials);
    database->exec(kBetterStates);
    merged.new_trials = database->exec(kCopyTrials);
    database->exec(kFindFreshAttempts);
    database->exec(kNumberAttempts);
    if (is_renumbered(*database)) {
      refuse_beside_folders(target);
      renumber(*database);
    }
    database->exec(kMapAttempts);
    database->exec("INSERT OR IGNORE INTO main.settings SELECT * FROM source.settings");
    merged.continued_attempts = drop_stale(*database);
    merged.new_attempts = copy_rows(*database, "attempts", "number") - merged.continued_attempts;
    for (const char* table : kAttemptTables) copy_rows(*database, table, "attempt");
    database->exec(kSummariseMetrics);
    database->exec(kCopyDecisions);
    database->exec(kCopyNodes);
    database->exec("DROP TABLE attempt_map; DROP TABLE numbering; DROP TABLE fresh_attempts; DROP TABLE told_trials");
    whole.commit();
    return merged;
  } catch (const SQLite::Exception& error) {
    throw_translated_of_both(source, target, error);
  }
}

}  // namespace ditscale::results
