#include "results/writer.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Savepoint.h>
#include <SQLiteCpp/Transaction.h>

#include "common/error.hpp"
#include "results/storage/attempt_rows.hpp"
#include "results/storage/database.hpp"
#include "results/storage/projection.hpp"
#include "results/storage/schema.hpp"
#include "results/storage/statement.hpp"
#include "results/storage/trial_rows.hpp"

namespace ditscale::results {

using common::to_int;
using common::TrialId;

struct ResultsWriter::Impl {
  explicit Impl(const std::filesystem::path& file) : path(file), database(open_for_writing(file)) {
    translating(path, [&] {
      migrate(*database, path);
      projection = std::make_unique<Projection>(*database);
    });
  }

  /// Runs `work` as one transaction, or, inside a Batch, as a part of it that is undone whole when it fails.
  template <typename Work>
  auto atomically(Work&& work) {
    return translating(path, [&] {
      if (in_batch) {
        SQLite::Savepoint part(*database, "part");
        const auto result = work();
        part.release();
        return result;
      }
      SQLite::Transaction whole(*database, SQLite::TransactionBehavior::IMMEDIATE);
      const auto result = work();
      whole.commit();
      return result;
    });
  }

  /// `atomically` for one statement that must change `id`'s row.
  template <typename... Values>
  void change(const char* sql, const TrialId& id, const Values&... values) {
    const int changed = atomically([&] {
      SQLite::Statement statement(*database, sql);
      return execute(statement, id.str(), values...);
    });
    DITSCALE_CHECK(changed == 1, "{}: there is no such trial or attempt ({})", path.string(), id.str());
  }

  std::filesystem::path path;
  std::unique_ptr<SQLite::Database> database;
  std::unique_ptr<Projection> projection;
  bool in_batch = false;
};

struct ResultsWriter::Batch::Impl {
  Impl(ResultsWriter::Impl& owner)
      : writer(owner), transaction(*owner.database, SQLite::TransactionBehavior::IMMEDIATE) {
    writer.in_batch = true;
  }
  ~Impl() { writer.in_batch = false; }

  ResultsWriter::Impl& writer;
  SQLite::Transaction transaction;
};

ResultsWriter::ResultsWriter(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}
ResultsWriter::~ResultsWriter() = default;

ResultsWriter::Batch::Batch(ResultsWriter& writer) {
  DITSCALE_CHECK(!writer.impl_->in_batch, "a batch is open already");
  impl_ = translating(writer.impl_->path, [&] { return std::make_unique<Impl>(*writer.impl_); });
}
ResultsWriter::Batch::~Batch() = default;

void ResultsWriter::Batch::commit() {
  translating(impl_->writer.path, [&] { impl_->transaction.commit(); });
  impl_->writer.in_batch = false;
}

void ResultsWriter::put_sweep(const std::string& name, const std::string& description, const common::Json& document) {
  impl_->atomically([&] {
    SQLite::Statement put(*impl_->database,
                          "INSERT INTO sweeps VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET description = ?2, "
                          "document = ?3");
    return execute(put, name, description, common::canonical_text(document));
  });
}

void ResultsWriter::put_trials(std::span<const TrialRecord> trials) {
  impl_->atomically([&] { return put_trial_rows(*impl_->database, trials); });
}

void ResultsWriter::set_trial_state(const TrialId& id, TrialState state, const std::string& reason, double time_s) {
  impl_->change("UPDATE trials SET state = ?2, reason = ?3, state_since_s = ?4 WHERE id = ?1", id, to_name(state),
                reason, time_s);
}

void ResultsWriter::start_attempt(const AttemptRecord& a) {
  impl_->atomically([&] { return put_attempt_row(*impl_->database, a); });
}

void ResultsWriter::end_attempt(const TrialId& id, common::AttemptNumber number, TrialState state,
                                const std::string& reason, double time_s) {
  impl_->change("UPDATE attempts SET state = ?3, reason = ?4, ended_s = ?5 WHERE trial = ?1 AND number = ?2", id,
                to_int(number), to_name(state), reason, time_s);
}

std::int64_t ResultsWriter::ingest(std::span<const AttemptEvent> events) {
  return impl_->atomically([&] {
    std::int64_t taken = 0;
    for (const AttemptEvent& event : events) taken += impl_->projection->take(event) ? 1 : 0;
    return taken;
  });
}

std::vector<TrialRecord> ResultsWriter::trials() const {
  return translating(impl_->path, [&] { return read_trial_rows(*impl_->database); });
}

std::vector<AttemptRecord> ResultsWriter::attempts() const {
  return translating(impl_->path, [&] { return read_attempt_rows(*impl_->database); });
}

std::optional<double> ResultsWriter::measured_macs_per_s(std::int64_t cpus, std::int64_t gpus,
                                                         std::int64_t processes) const {
  return translating(impl_->path, [&] { return median_macs_per_s(*impl_->database, cpus, gpus, processes); });
}

}  // namespace ditscale::results
