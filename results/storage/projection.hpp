#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "results/records.hpp"

namespace ditscale::results {

/// Turns events into rows of the typed tables. Belongs to one connection, inside whose transactions it works.
/// A body that lacks what its kind promises is left to the events table, with a warning in the log.
class Projection {
 public:
  explicit Projection(SQLite::Database& database);

  /// Keeps the event and projects it. False when it was known already (then nothing changes).
  bool take(const AttemptEvent& event);

 private:
  void project(const AttemptEvent& event);
  void started(const AttemptEvent& event);
  void parameters(const AttemptEvent& event);
  void metric(const AttemptEvent& event);
  void checkpoint(const AttemptEvent& event);
  void samples(const AttemptEvent& event);
  void evaluation(const AttemptEvent& event);
  std::string put_settings(const common::Json& body);
  /// Remembers how far the attempt is.
  void advance(const AttemptEvent& event);

  SQLite::Statement keep_;
  SQLite::Statement newest_event_;
  SQLite::Statement started_;
  SQLite::Statement parameters_;
  SQLite::Statement advance_;
  SQLite::Statement metric_;
  SQLite::Statement checkpoint_;
  SQLite::Statement samples_;
  SQLite::Statement settings_;
  SQLite::Statement evaluation_;
};

/// Id of a kind of score: hash of its settings without what cannot change a value (every_steps, metrics).
[[nodiscard]] std::string settings_id_of(const common::Json& settings);

}  // namespace ditscale::results
