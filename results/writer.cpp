#include "results/writer.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Transaction.h>

#include "common/error.hpp"
#include "results/storage/attempt_rows.hpp"
#include "results/storage/database.hpp"
#include "results/storage/decision_rows.hpp"
#include "results/storage/node_rows.hpp"
#include "results/storage/projection.hpp"
#include "results/storage/schema.hpp"
#include "results/storage/statement.hpp"
#include "results/storage/trial_rows.hpp"

namespace ditscale::results {

using common::to_int;
using common::TrialId;

namespace {

constexpr const char* kSetTrialState = "UPDATE trials SET state = ?2, reason = ?3, state_since_s = ?4 WHERE id = ?1";
constexpr const char* kEndAttempt =
    "UPDATE attempts SET state = ?3, reason = ?4, ended_s = ?5 WHERE trial = ?1 AND number = ?2";
constexpr const char* kAddStandstill =
    "UPDATE attempts SET stood_still_s = stood_still_s + ?3 WHERE trial = ?1 AND number = ?2";

}  // namespace

struct ResultsWriter::Impl {
  Impl(const std::filesystem::path& file, Durability durability)
      : path(file), database(open_for_writing(file, durability)) {
    translating(path, [&] {
      migrate(*database, path);
      projection = std::make_unique<Projection>(*database);
      set_trial_state = std::make_unique<SQLite::Statement>(*database, kSetTrialState);
      end_attempt = std::make_unique<SQLite::Statement>(*database, kEndAttempt);
      put_attempt = std::make_unique<SQLite::Statement>(*database, kPutAttempt);
      open_part = std::make_unique<SQLite::Statement>(*database, "SAVEPOINT part");
      keep_part = std::make_unique<SQLite::Statement>(*database, "RELEASE part");
      begin = std::make_unique<SQLite::Statement>(*database, "BEGIN IMMEDIATE");
      commit = std::make_unique<SQLite::Statement>(*database, "COMMIT");
    });
  }

  /// A savepoint by statements that are prepared: there is one for every handful of events.
  class Part {
   public:
    explicit Part(Impl& owner) : owner_(owner) { execute(*owner_.open_part); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() {
      if (!kept_) owner_.database->tryExec("ROLLBACK TO part; RELEASE part");
    }
    void keep() { execute(*owner_.keep_part), kept_ = true; }

   private:
    Impl& owner_;
    bool kept_ = false;
  };

  /// Runs `work` as one transaction, or, inside a Batch, as a part of it that is undone whole when it fails.
  template <typename Work>
  auto atomically(Work&& work) {
    return translating(path, [&] {
      if (in_batch) {
        Part part(*this);
        const auto result = work();
        part.keep();
        return result;
      }
      SQLite::Transaction whole(*database, SQLite::TransactionBehavior::IMMEDIATE);
      const auto result = work();
      whole.commit();
      return result;
    });
  }

  /// `atomically` for one statement, which is a whole in itself. Returns how many rows it changed.
  template <typename... Values>
  int run(SQLite::Statement& statement, const Values&... values) {
    if (in_batch) return translating(path, [&] { return execute(statement, values...); });
    return atomically([&] { return execute(statement, values...); });
  }

  void require_one(int changed, const TrialId& id) const {
    DITSCALE_CHECK(changed == 1, "{}: there is no such trial or attempt ({})", path.string(), id.str());
  }

  std::filesystem::path path;
  std::unique_ptr<SQLite::Database> database;
  std::unique_ptr<Projection> projection;
  std::unique_ptr<SQLite::Statement> set_trial_state;
  std::unique_ptr<SQLite::Statement> end_attempt;
  std::unique_ptr<SQLite::Statement> put_attempt;
  std::unique_ptr<SQLite::Statement> open_part;
  std::unique_ptr<SQLite::Statement> keep_part;
  std::unique_ptr<SQLite::Statement> begin;
  std::unique_ptr<SQLite::Statement> commit;
  bool in_batch = false;
};

struct ResultsWriter::Batch::Impl {
  explicit Impl(ResultsWriter::Impl& owner) : writer(owner) {
    execute(*writer.begin);
    writer.in_batch = true;
  }
  ~Impl() {
    if (writer.in_batch) writer.database->tryExec("ROLLBACK");
    writer.in_batch = false;
  }

  ResultsWriter::Impl& writer;
};

ResultsWriter::ResultsWriter(const std::filesystem::path& path, Durability durability)
    : impl_(std::make_unique<Impl>(path, durability)) {}
ResultsWriter::~ResultsWriter() = default;

ResultsWriter::Batch::Batch(ResultsWriter& writer) {
  DITSCALE_CHECK(!writer.impl_->in_batch, "a batch is open already");
  impl_ = translating(writer.impl_->path, [&] { return std::make_unique<Impl>(*writer.impl_); });
}
ResultsWriter::Batch::~Batch() = default;

void ResultsWriter::Batch::commit() {
  translating(impl_->writer.path, [&] { return execute(*impl_->writer.commit); });
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
  impl_->require_one(impl_->run(*impl_->set_trial_state, id.str(), to_name(state), reason, time_s), id);
}

void ResultsWriter::start_attempt(const AttemptRecord& a) {
  impl_->run(*impl_->put_attempt, a.trial.str(), to_int(a.number), to_name(a.state), a.reason, a.host, a.devices,
             a.predicted_s, a.started_s, a.ended_s, a.last_event);
}

void ResultsWriter::end_attempt(const TrialId& id, common::AttemptNumber number, TrialState state,
                                const std::string& reason, double time_s) {
  impl_->require_one(impl_->run(*impl_->end_attempt, id.str(), to_int(number), to_name(state), reason, time_s), id);
}

void ResultsWriter::add_standstill(const TrialId& id, common::AttemptNumber number, double seconds) {
  SQLite::Statement add(*impl_->database, kAddStandstill);
  impl_->require_one(impl_->run(add, id.str(), to_int(number), seconds), id);
}

void ResultsWriter::put_decision(const DecisionRecord& decision) {
  impl_->atomically([&] { return put_decision_row(*impl_->database, decision); });
}

void ResultsWriter::overrule_decisions(const TrialId& id) {
  impl_->atomically([&] { return overrule_decision_rows(*impl_->database, id); });
}

void ResultsWriter::join_node(const NodeRecord& node) {
  impl_->atomically([&] { return put_node_row(*impl_->database, node); });
}

void ResultsWriter::leave_node(int agent, double time_s) {
  impl_->atomically([&] { return end_node_row(*impl_->database, agent, time_s); });
}

void ResultsWriter::leave_stale_nodes() {
  impl_->atomically([&] { return end_stale_node_rows(*impl_->database); });
}

std::int64_t ResultsWriter::ingest(std::span<const AttemptEvent> events) {
  return impl_->atomically([&] { return impl_->projection->take(events); });
}

std::vector<TrialStanding> ResultsWriter::standings() const {
  return translating(impl_->path, [&] { return read_standings(*impl_->database); });
}

std::vector<AttemptRecord> ResultsWriter::attempts() const {
  return translating(impl_->path, [&] { return read_attempt_rows(*impl_->database); });
}

std::vector<DecisionRecord> ResultsWriter::decisions() const {
  return translating(impl_->path, [&] { return read_decision_rows(*impl_->database); });
}

std::int64_t ResultsWriter::last_event(const TrialId& id, common::AttemptNumber number) const {
  return translating(impl_->path, [&] { return last_event_of(*impl_->database, id, number); });
}

std::optional<sweeps::Speed> ResultsWriter::measured_speed(std::int64_t cpus, std::int64_t gpus,
                                                           std::int64_t processes) const {
  return translating(impl_->path, [&] { return results::measured_speed(*impl_->database, cpus, gpus, processes); });
}

}  // namespace ditscale::results
