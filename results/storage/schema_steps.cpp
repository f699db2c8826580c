#include "results/storage/schema_steps.hpp"

#include <array>

namespace ditscale::results {

namespace {

constexpr const char* kTables = R"sql(
CREATE TABLE schema_steps(
  version INTEGER PRIMARY KEY, what TEXT NOT NULL, applied_s REAL NOT NULL) STRICT;

CREATE TABLE sweeps(
  name TEXT PRIMARY KEY, description TEXT NOT NULL, document TEXT NOT NULL) STRICT;

CREATE TABLE trials(
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, label TEXT NOT NULL, axes TEXT NOT NULL, spec TEXT NOT NULL,
  total_parameters INTEGER NOT NULL, trainable_parameters INTEGER NOT NULL, forward_macs INTEGER NOT NULL,
  training_flops REAL NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, state_since_s REAL) STRICT;

CREATE TABLE attempts(
  trial TEXT NOT NULL REFERENCES trials(id), number INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  host TEXT NOT NULL, devices TEXT NOT NULL, cpus INTEGER, gpus INTEGER, predicted_s REAL NOT NULL,
  started_s REAL NOT NULL, ended_s REAL, last_event INTEGER NOT NULL DEFAULT 0,
  first_step INTEGER, first_images INTEGER, last_step INTEGER, last_images INTEGER, resumed_from TEXT,
  device TEXT, device_name TEXT, threads INTEGER, processes INTEGER, precision TEXT, trainer_host TEXT, pid INTEGER, parameters INTEGER,
  PRIMARY KEY(trial, number)) STRICT, WITHOUT ROWID;

CREATE TABLE events(
  trial TEXT NOT NULL, attempt INTEGER NOT NULL, number INTEGER NOT NULL, time_s REAL NOT NULL, kind TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY(trial, attempt, number), FOREIGN KEY(trial, attempt) REFERENCES attempts(trial, number))
  STRICT, WITHOUT ROWID;

CREATE TABLE metrics(
  trial TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, images INTEGER, loss REAL, loss_simple REAL,
  loss_vlb REAL, grad_norm REAL, lr REAL, images_per_s REAL, time_s REAL,
  PRIMARY KEY(trial, step, attempt), FOREIGN KEY(trial, attempt) REFERENCES attempts(trial, number))
  STRICT, WITHOUT ROWID;

CREATE TABLE settings(
  id TEXT PRIMARY KEY, document TEXT NOT NULL, sampler TEXT, steps INTEGER, guidance REAL, num_samples INTEGER,
  sample_seed INTEGER, features TEXT, features_digest TEXT, reference_digest TEXT, rounding TEXT, labels TEXT,
  weights TEXT) STRICT;

CREATE TABLE evaluations(
  trial TEXT NOT NULL, step INTEGER NOT NULL, settings TEXT NOT NULL REFERENCES settings(id), metric TEXT NOT NULL,
  attempt INTEGER NOT NULL, images INTEGER, value REAL, reason TEXT NOT NULL, num_samples INTEGER, seconds REAL,
  sampling_macs REAL, covariance_rank INTEGER,
  PRIMARY KEY(trial, step, settings, metric, attempt),
  FOREIGN KEY(trial, attempt) REFERENCES attempts(trial, number)) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints(
  trial TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, images INTEGER, file TEXT NOT NULL,
  bytes INTEGER, digest TEXT, seconds REAL,
  PRIMARY KEY(trial, step, attempt), FOREIGN KEY(trial, attempt) REFERENCES attempts(trial, number))
  STRICT, WITHOUT ROWID;

CREATE TABLE samples(
  trial TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, file TEXT NOT NULL,
  PRIMARY KEY(trial, step, attempt, file), FOREIGN KEY(trial, attempt) REFERENCES attempts(trial, number))
  STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kViews = R"sql(
CREATE VIEW v_metrics AS
SELECT m.trial, t.label, m.step, m.images, m.loss, m.loss_simple, m.loss_vlb, m.grad_norm, m.lr, m.images_per_s,
       m.time_s, 6.0 * t.forward_macs * m.images AS training_flops, m.attempt
FROM metrics m JOIN trials t ON t.id = m.trial
WHERE m.attempt = (SELECT max(x.attempt) FROM metrics x WHERE x.trial = m.trial AND x.step = m.step);

CREATE VIEW v_evaluations AS
SELECT e.trial, t.label, e.step, e.images, e.metric, e.value, e.reason, e.settings AS settings_id,
       s.sampler, s.steps AS sampling_steps, s.guidance, s.sample_seed, s.features, e.num_samples,
       t.total_parameters, t.forward_macs, 6.0 * t.forward_macs * e.images AS training_flops,
       1.0 * e.step / json_extract(t.spec, '$.train.steps') AS schedule_fraction,
       e.step = json_extract(t.spec, '$.train.steps') AS final, e.seconds, e.sampling_macs, e.covariance_rank,
       e.attempt
FROM evaluations e JOIN trials t ON t.id = e.trial JOIN settings s ON s.id = e.settings
WHERE e.attempt = (SELECT max(x.attempt) FROM evaluations x
                   WHERE x.trial = e.trial AND x.step = e.step AND x.settings = e.settings AND x.metric = e.metric);

CREATE VIEW v_trials AS
SELECT t.id, t.label, t.position, t.state, t.reason,
       json_extract(t.spec, '$.data.name') AS data,
       json_extract(t.spec, '$.model.depth') AS depth, json_extract(t.spec, '$.model.width') AS width,
       json_extract(t.spec, '$.model.heads') AS heads, json_extract(t.spec, '$.model.patch') AS patch,
       json_extract(t.spec, '$.model.block') AS block,
       json_extract(t.spec, '$.train.global_batch') AS global_batch, json_extract(t.spec, '$.train.lr') AS lr,
       json_extract(t.spec, '$.train.steps') AS steps, json_extract(t.spec, '$.seed') AS seed,
       t.total_parameters, t.trainable_parameters, t.forward_macs, t.forward_macs / 1e9 AS gflops, t.training_flops,
       (SELECT a.last_step FROM attempts a WHERE a.trial = t.id AND a.last_step IS NOT NULL
        ORDER BY a.number DESC LIMIT 1) AS steps_done,
       (SELECT m.loss FROM v_metrics m WHERE m.trial = t.id ORDER BY m.step DESC LIMIT 1) AS last_loss,
       (SELECT avg(m.images_per_s) FROM v_metrics m WHERE m.trial = t.id) AS images_per_s,
       (SELECT count(*) FROM attempts a WHERE a.trial = t.id) AS attempts,
       (SELECT sum(a.ended_s - a.started_s) FROM attempts a WHERE a.trial = t.id) AS seconds
FROM trials t;
)sql";

/// What v_trials needs of a trial's metrics, kept by triggers: a study may have 50 million of them. A row counts while
/// no newer attempt has its step.
constexpr const char* kSummaries = R"sql(
CREATE TABLE metric_summaries(
  trial TEXT PRIMARY KEY REFERENCES trials(id), num_metrics INTEGER NOT NULL, last_step INTEGER NOT NULL, last_loss REAL,
  rate_sum REAL NOT NULL, num_rates INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO metric_summaries
SELECT v.trial, count(*), max(v.step),
       (SELECT m.loss FROM v_metrics m WHERE m.trial = v.trial ORDER BY m.step DESC LIMIT 1),
       coalesce(sum(v.images_per_s), 0.0), count(v.images_per_s)
FROM v_metrics v GROUP BY v.trial;

CREATE TRIGGER metric_comes BEFORE INSERT ON metrics BEGIN
  UPDATE metric_summaries SET (num_metrics, rate_sum, num_rates) =
    (SELECT num_metrics - 1, rate_sum - coalesce(m.images_per_s, 0.0), num_rates - (m.images_per_s IS NOT NULL)
     FROM metrics m WHERE m.trial = new.trial AND m.step = new.step ORDER BY m.attempt DESC LIMIT 1)
  WHERE trial = new.trial
    AND (SELECT max(m.attempt) FROM metrics m WHERE m.trial = new.trial AND m.step = new.step) <= new.attempt;
END;

CREATE TRIGGER metric_counts AFTER INSERT ON metrics
WHEN NOT EXISTS (SELECT 1 FROM metrics m WHERE m.trial = new.trial AND m.step = new.step AND m.attempt > new.attempt)
BEGIN
  INSERT INTO metric_summaries VALUES(new.trial, 1, new.step, new.loss, coalesce(new.images_per_s, 0.0),
                                      new.images_per_s IS NOT NULL)
  ON CONFLICT(trial) DO UPDATE SET
    num_metrics = num_metrics + 1, rate_sum = rate_sum + excluded.rate_sum, num_rates = num_rates + excluded.num_rates,
    last_loss = CASE WHEN excluded.last_step >= last_step THEN excluded.last_loss ELSE last_loss END,
    last_step = max(last_step, excluded.last_step);
END;

DROP VIEW v_trials;
CREATE VIEW v_trials AS
SELECT t.id, t.label, t.position, t.state, t.reason,
       json_extract(t.spec, '$.data.name') AS data,
       json_extract(t.spec, '$.model.depth') AS depth, json_extract(t.spec, '$.model.width') AS width,
       json_extract(t.spec, '$.model.heads') AS heads, json_extract(t.spec, '$.model.patch') AS patch,
       json_extract(t.spec, '$.model.block') AS block,
       json_extract(t.spec, '$.train.global_batch') AS global_batch, json_extract(t.spec, '$.train.lr') AS lr,
       json_extract(t.spec, '$.train.steps') AS steps, json_extract(t.spec, '$.seed') AS seed,
       t.total_parameters, t.trainable_parameters, t.forward_macs, t.forward_macs / 1e9 AS gflops, t.training_flops,
       (SELECT a.last_step FROM attempts a WHERE a.trial = t.id AND a.last_step IS NOT NULL
        ORDER BY a.number DESC LIMIT 1) AS steps_done,
       s.last_loss, s.rate_sum / nullif(s.num_rates, 0) AS images_per_s,
       (SELECT count(*) FROM attempts a WHERE a.trial = t.id) AS attempts,
       (SELECT nullif(sum(a.ended_s - a.started_s), 0) FROM attempts a WHERE a.trial = t.id) AS seconds
FROM trials t LEFT JOIN metric_summaries s ON s.trial = t.id;
)sql";

constexpr const char* kStandardErrors = R"sql(
ALTER TABLE evaluations ADD COLUMN standard_error REAL;

DROP VIEW v_evaluations;
CREATE VIEW v_evaluations AS
SELECT e.trial, t.label, e.step, e.images, e.metric, e.value, e.standard_error, e.reason, e.settings AS settings_id,
       s.sampler, s.steps AS sampling_steps, s.guidance, s.sample_seed, s.labels, s.weights, s.features, e.num_samples,
       t.total_parameters, t.forward_macs, 6.0 * t.forward_macs * e.images AS training_flops,
       1.0 * e.step / json_extract(t.spec, '$.train.steps') AS schedule_fraction,
       e.step = json_extract(t.spec, '$.train.steps') AS final, e.seconds, e.sampling_macs, e.covariance_rank,
       e.attempt
FROM evaluations e JOIN trials t ON t.id = e.trial JOIN settings s ON s.id = e.settings
WHERE e.attempt = (SELECT max(x.attempt) FROM evaluations x
                   WHERE x.trial = e.trial AND x.step = e.step AND x.settings = e.settings AND x.metric = e.metric);
)sql";

constexpr const char* kDecisions = R"sql(
CREATE TABLE decisions(
  trial TEXT NOT NULL REFERENCES trials(id), step INTEGER NOT NULL, metric TEXT NOT NULL, value REAL NOT NULL,
  rank INTEGER NOT NULL, num_known INTEGER NOT NULL, num_kept INTEGER NOT NULL, kept INTEGER NOT NULL,
  time_s REAL NOT NULL, PRIMARY KEY(trial, step)) STRICT, WITHOUT ROWID;
)sql";

/// A metric is kept once: what its event says beyond its columns, its number and time, stands beside them. And the
/// writer keeps the summaries itself, which triggers did. Both together took half of a metric's time.
constexpr const char* kMetricsOnce = R"sql(
ALTER TABLE metrics ADD COLUMN event INTEGER;
ALTER TABLE metrics ADD COLUMN event_time_s REAL;

DROP TRIGGER metric_comes;
DROP TRIGGER metric_counts;
)sql";

constexpr const char* kNodes = R"sql(
CREATE TABLE nodes(
  joined_s REAL NOT NULL, agent INTEGER NOT NULL, host TEXT NOT NULL, cpus INTEGER NOT NULL, gpus INTEGER NOT NULL,
  left_s REAL, PRIMARY KEY(joined_s, agent, host)) STRICT, WITHOUT ROWID;
)sql";

/// It must not count as time that work took.
constexpr const char* kStandstills = R"sql(
ALTER TABLE attempts ADD COLUMN stood_still_s REAL NOT NULL DEFAULT 0;
)sql";

constexpr std::array<SchemaStep, 8> kSteps{{{1, "tables", kTables},
                                            {2, "views for users", kViews},
                                            {3, "summaries of metrics", kSummaries},
                                            {4, "standard errors of scores", kStandardErrors},
                                            {5, "decisions of early stopping", kDecisions},
                                            {6, "metrics once, summaries without triggers", kMetricsOnce},
                                            {7, "nodes of a run", kNodes},
                                            {8, "time in which attempts stood still", kStandstills}}};

}  // namespace

std::span<const SchemaStep> schema_steps() { return kSteps; }

}  // namespace ditscale::results
