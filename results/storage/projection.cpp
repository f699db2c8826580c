#include "results/storage/projection.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "results/storage/body_fields.hpp"
#include "results/storage/statement.hpp"

namespace ditscale::results {

using common::Json;

namespace {

/// The event's step; an event without one cannot be placed in a table.
std::int64_t step_of(const AttemptEvent& event) {
  const auto step = integer_in(event.event.body, "step");
  if (!step) throw common::CorruptData("its body has no step");
  return *step;
}

std::string file_of(const AttemptEvent& event) {
  const auto file = text_in(event.event.body, "file");
  if (!file) throw common::CorruptData("its body has no file");
  return *file;
}

}  // namespace

std::string settings_id_of(const Json& settings) {
  Json identity = settings;
  identity.erase("every_steps");
  identity.erase("metrics");
  return common::hash_hex64(common::canonical_text(identity));
}

Projection::Projection(SQLite::Database& database)
    : keep_(database, "INSERT OR IGNORE INTO events VALUES(?, ?, ?, ?, ?, ?)"),
      started_(database,
               "UPDATE attempts SET first_step = ?3, first_images = ?4, resumed_from = ?5, device = ?6, device_name = "
               "?7, threads = ?8, precision = ?9, trainer_host = ?10, pid = ?11, processes = ?12 WHERE trial = ?1 AND "
               "number = ?2"),
      parameters_(database, "UPDATE attempts SET parameters = ?3 WHERE trial = ?1 AND number = ?2"),
      advance_(database,
               "UPDATE attempts SET last_step = max(coalesce(last_step, ?3), coalesce(?3, last_step)), "
               "last_images = max(coalesce(last_images, ?4), coalesce(?4, last_images)), "
               "last_event = max(last_event, ?5) "
               "WHERE trial = ?1 AND number = ?2"),
      metrics_(database),
      checkpoint_(database, "INSERT OR REPLACE INTO checkpoints VALUES(?, ?, ?, ?, ?, ?, ?, ?)"),
      samples_(database, "INSERT OR REPLACE INTO samples VALUES(?, ?, ?, ?)"),
      settings_(database, "INSERT OR IGNORE INTO settings VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      evaluation_(database, "INSERT OR REPLACE INTO evaluations VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") {}

std::int64_t Projection::take(std::span<const AttemptEvent> events) {
  std::int64_t taken = 0;
  Advance advance;
  metrics_.forget();
  for (const AttemptEvent& event : events) {
    if (!keep(event)) continue;
    ++taken;
    const bool same =
        advance.newest && advance.newest->trial == event.trial && advance.newest->attempt == event.attempt;
    if (!same) {
      write(advance);
      advance = {};
    }
    advance.newest = &event;
    advance.number = std::max(advance.number, event.event.number);
    // An empty optional is less than any number.
    advance.step = std::max(advance.step, integer_in(event.event.body, "step"));
    advance.images = std::max(advance.images, integer_in(event.event.body, "images"));
  }
  write(advance);
  metrics_.finish();
  return taken;
}

/// False when it was known already.
bool Projection::keep(const AttemptEvent& event) {
  if (event.event.kind != "metric") return keep_text(event);
  if (metrics_.holds(event)) return false;
  return metrics_.put_whole(event) || keep_text(event);
}

bool Projection::keep_text(const AttemptEvent& e) {
  const std::int32_t attempt = common::to_int(e.attempt);
  const std::string body = e.event.body.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (execute(keep_, e.trial.str(), attempt, e.event.number, e.event.time_s, e.event.kind, body) == 0) return false;
  try {
    project(e);
  } catch (const common::CorruptData& error) {
    spdlog::warn("trial {} attempt {}: event {} ({}) is kept but not tabulated: {}", e.trial.brief(), attempt,
                 e.event.number, e.event.kind, error.what());
  }
  return true;
}

void Projection::write(const Advance& advance) {
  if (!advance.newest) return;
  execute(advance_, advance.newest->trial.str(), common::to_int(advance.newest->attempt), advance.step, advance.images,
          advance.number);
}

void Projection::project(const AttemptEvent& event) {
  const std::string& kind = event.event.kind;
  if (kind == "started") return started(event);
  if (kind == "parameters") return parameters(event);
  if (kind == "metric") return metrics_.put_columns(event);
  if (kind == "checkpoint") return checkpoint(event);
  if (kind == "samples") return samples(event);
  if (kind == "evaluation") return evaluation(event);
}

void Projection::started(const AttemptEvent& event) {
  const Json& body = event.event.body;
  execute(started_, event.trial.str(), common::to_int(event.attempt), integer_in(body, "step"),
          integer_in(body, "images"), text_in(body, "resumed_from"), text_in(body, "device"),
          text_in(body, "device_name"), integer_in(body, "threads"), text_in(body, "precision"), text_in(body, "host"),
          integer_in(body, "pid"), integer_in(body, "processes"));
  if (body.contains("parameters")) parameters(event);
}

void Projection::parameters(const AttemptEvent& event) {
  execute(parameters_, event.trial.str(), common::to_int(event.attempt), integer_in(event.event.body, "parameters"));
}

void Projection::checkpoint(const AttemptEvent& event) {
  const Json& body = event.event.body;
  execute(checkpoint_, event.trial.str(), step_of(event), common::to_int(event.attempt), integer_in(body, "images"),
          file_of(event), integer_in(body, "bytes"), text_in(body, "digest"), number_in(body, "seconds"));
}

void Projection::samples(const AttemptEvent& event) {
  execute(samples_, event.trial.str(), step_of(event), common::to_int(event.attempt), file_of(event));
}

std::string Projection::put_settings(const Json& body) {
  const auto found = body.find("settings");
  if (found == body.end() || !found->is_object()) throw common::CorruptData("its body has no settings object");
  const Json& settings = *found;
  const std::string id = text_in(body, "settings_id").value_or(settings_id_of(settings));
  execute(settings_, id, common::canonical_text(settings), text_in(settings, "sampler"), integer_in(settings, "steps"),
          number_in(settings, "guidance"), integer_in(settings, "num_samples"), integer_in(settings, "sample_seed"),
          text_in(settings, "features"), text_in(settings, "features_digest"), text_in(settings, "reference_digest"),
          text_in(settings, "rounding"), text_in(settings, "labels"), text_in(settings, "weights"));
  return id;
}

void Projection::evaluation(const AttemptEvent& event) {
  const Json& body = event.event.body;
  const auto values = body.find("values");
  if (values == body.end() || !values->is_object()) throw common::CorruptData("its body has no values object");
  const std::int64_t step = step_of(event);
  const std::string settings = put_settings(body);
  // Events of earlier versions have one reason for all, and no errors.
  const Json errors = body.value("standard_errors", Json::object()), reasons = body.value("reasons", Json::object());
  const std::string any_reason = text_in(body, "reason").value_or("the worker gave no reason");
  for (const auto& [metric, unused] : values->items()) {
    const auto value = number_in(*values, metric.c_str());
    const std::string reason = value ? "" : text_in(reasons, metric.c_str()).value_or(any_reason);
    execute(evaluation_, event.trial.str(), step, settings, metric, common::to_int(event.attempt),
            integer_in(body, "images"), value, reason, integer_in(body, "num_samples"), number_in(body, "seconds"),
            number_in(body, "sampling_macs"), integer_in(body, "covariance_rank"), number_in(errors, metric.c_str()));
  }
}

}  // namespace ditscale::results
