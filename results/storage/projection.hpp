#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "results/records.hpp"
#include "results/storage/metric_rows.hpp"

namespace ditscale::results {

/// Turns events into rows of the typed tables. Belongs to one connection, inside whose transactions it works.
/// A body that lacks what its kind promises is left to the events table, with a warning in the log.
class Projection {
 public:
  explicit Projection(SQLite::Database& database);

  /// Keeps the events and projects them. Those that were known already change nothing. Returns how many were new.
  std::int64_t take(std::span<const AttemptEvent> events);

 private:
  /// How far an attempt has come by the events taken in since its row was last written.
  struct Advance {
    const AttemptEvent* newest = nullptr;
    std::int64_t number = 0;
    std::optional<std::int64_t> step, images;
  };
  bool keep(const AttemptEvent& event);
  bool keep_text(const AttemptEvent& event);
  void project(const AttemptEvent& event);
  void started(const AttemptEvent& event);
  void parameters(const AttemptEvent& event);
  void checkpoint(const AttemptEvent& event);
  void samples(const AttemptEvent& event);
  void evaluation(const AttemptEvent& event);
  std::string put_settings(const common::Json& body);
  void write(const Advance& advance);

  SQLite::Statement keep_;
  SQLite::Statement started_;
  SQLite::Statement parameters_;
  SQLite::Statement advance_;
  MetricRows metrics_;
  SQLite::Statement checkpoint_;
  SQLite::Statement samples_;
  SQLite::Statement settings_;
  SQLite::Statement evaluation_;
};

/// Id of a kind of score: hash of its settings without what cannot change a value (every_steps, metrics).
[[nodiscard]] std::string settings_id_of(const common::Json& settings);

}  // namespace ditscale::results
