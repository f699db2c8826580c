#include "results/storage/trial_rows.hpp"

#include <SQLiteCpp/Column.h>

#include "common/error.hpp"
#include "results/storage/statement.hpp"
#include "results/stored_json.hpp"

namespace ditscale::results {

namespace {

constexpr const char* kPut =
    "INSERT INTO trials(id, position, label, axes, spec, total_parameters, trainable_parameters, forward_macs, "
    "training_flops, state, reason) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(id) DO UPDATE SET position = excluded.position, label = excluded.label, axes = excluded.axes, "
    "spec = excluded.spec "
    "WHERE (position, label, axes, spec) IS NOT (excluded.position, excluded.label, excluded.axes, excluded.spec)";

constexpr const char* kRead =
    "SELECT id, position, label, axes, spec, total_parameters, trainable_parameters, forward_macs, training_flops, "
    "state, reason FROM trials ORDER BY position, id";

}  // namespace

TrialState stored_state(const std::string& name) {
  const auto state = trial_state_from(name);
  if (!state) throw common::CorruptData(fmt::format("the database holds a state \"{}\" that is not known", name));
  return *state;
}

std::size_t put_trial_rows(SQLite::Database& database, std::span<const TrialRecord> trials) {
  SQLite::Statement put(database, kPut);
  for (const TrialRecord& t : trials) {
    execute(put, t.id.str(), t.position, t.label, common::canonical_text(t.axes), common::canonical_text(t.spec),
            t.total_parameters, t.trainable_parameters, t.forward_macs, t.training_flops, to_name(t.state), t.reason);
  }
  return trials.size();
}

std::vector<TrialRecord> read_trial_rows(SQLite::Database& database) {
  SQLite::Statement read(database, kRead);
  std::vector<TrialRecord> trials;
  while (read.executeStep()) {
    TrialRecord t;
    t.id = common::TrialId(read.getColumn(0).getString());
    t.position = read.getColumn(1).getInt64();
    t.label = read.getColumn(2).getString();
    t.axes = parse_stored(read.getColumn(3).getString());
    t.spec = parse_stored(read.getColumn(4).getString());
    t.total_parameters = read.getColumn(5).getInt64();
    t.trainable_parameters = read.getColumn(6).getInt64();
    t.forward_macs = read.getColumn(7).getInt64();
    t.training_flops = read.getColumn(8).getDouble();
    t.state = stored_state(read.getColumn(9).getString());
    t.reason = read.getColumn(10).getString();
    trials.push_back(std::move(t));
  }
  return trials;
}

std::vector<TrialStanding> read_standings(SQLite::Database& database) {
  SQLite::Statement read(database, "SELECT id, state, reason FROM trials");
  std::vector<TrialStanding> standings;
  while (read.executeStep()) {
    standings.push_back({common::TrialId(read.getColumn(0).getString()), stored_state(read.getColumn(1).getString()),
                         read.getColumn(2).getString()});
  }
  return standings;
}

}  // namespace ditscale::results
