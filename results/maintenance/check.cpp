#include "results/maintenance/check.hpp"

#include <array>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include "common/error.hpp"
#include "results/storage/database.hpp"
#include "results/storage/schema.hpp"

namespace ditscale::results {

namespace {

struct Question {
  const char* what;
  /// Every row of the answer is one finding, in its first column.
  const char* sql;
  /// Schema versions it can be put to.
  int first_version = 1;
  int last_version = kSchemaVersion;
};

/// A macro, for literals are joined before anything else could join them.
#define DITSCALE_GAPS_IN(events)                                                                                     \
  "SELECT printf('trial %s attempt %d: events %s are missing; copy its events.jsonl back and run the sweep again', " \
  "trial, attempt, CASE WHEN min(number) > 1 THEN 'at the start' ELSE 'in the middle' END) FROM " events             \
  " GROUP BY trial, attempt HAVING max(number) <> count(*)"

constexpr std::array<Question, 7> kQuestions{{
    {"pages and indices", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
    {"rows that belong to nothing",
     "SELECT printf('%s: %d rows belong to no row of %s', \"table\", count(*), parent) FROM pragma_foreign_key_check "
     "GROUP BY \"table\", parent"},
    {"events without gaps", DITSCALE_GAPS_IN("events"), 1, 5},
    {"events without gaps",
     DITSCALE_GAPS_IN("(SELECT trial, attempt, number FROM events UNION ALL "
                      "SELECT trial, attempt, event FROM metrics WHERE event IS NOT NULL)"),
     6},
    {"attempts that never ended",
     "SELECT printf('trial %s is %s, but its attempt %d has no end', t.id, t.state, a.number) FROM trials t "
     "JOIN attempts a ON a.trial = t.id WHERE a.ended_s IS NULL "
     "AND t.state IN ('succeeded', 'failed', 'diverged', 'cancelled', 'excluded')"},
    {"trials without their last score",
     "SELECT printf('trial %s (%s) succeeded, but has no score at its last step', t.id, t.label) FROM trials t "
     "WHERE t.state = 'succeeded' AND json_array_length(t.spec, '$.evaluate') > 0 AND NOT EXISTS "
     "(SELECT 1 FROM evaluations e WHERE e.trial = t.id AND e.step = json_extract(t.spec, '$.train.steps'))"},
    {"summaries of metrics",
     "SELECT printf('trial %s: the summary of its metrics does not fit them', v.trial) FROM "
     "(SELECT trial, count(*) AS num, max(step) AS last FROM v_metrics GROUP BY trial) v "
     "LEFT JOIN metric_summaries s ON s.trial = v.trial "
     "WHERE s.trial IS NULL OR s.num_metrics <> v.num OR s.last_step <> v.last",
     3},
}};

#undef DITSCALE_GAPS_IN

}  // namespace

std::vector<std::string> check_database(const std::filesystem::path& path, const OnProgress& on_progress) {
  return translating(path, [&] {
    const auto database = open_for_reading(path);
    const int version = schema_version_of(*database, path);
    std::vector<std::string> findings;
    if (version < kSchemaVersion) {
      findings.push_back(
          fmt::format("schema version {}, this program writes {}; the next writer brings it up to date, "
                      "and the check looks at what both have",
                      version, kSchemaVersion));
    }
    for (const Question& question : kQuestions) {
      if (version < question.first_version || version > question.last_version) continue;
      if (on_progress) on_progress(question.what);
      SQLite::Statement ask(*database, question.sql);
      while (ask.executeStep()) findings.push_back(ask.getColumn(0).getString());
    }
    return findings;
  });
}

}  // namespace ditscale::results
