#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.hpp"
#include "common/json_document.hpp"
#include "sweeps/spec/data_spec.hpp"
#include "sweeps/spec/evaluate_spec.hpp"
#include "sweeps/spec/model_spec.hpp"
#include "sweeps/spec/objective_spec.hpp"
#include "sweeps/spec/train_spec.hpp"

namespace ditscale::sweeps {

/// Checkpointing. Does not change the identity.
struct CheckpointSpec {
  std::int64_t every_steps = 500;
  /// Newest checkpoints that are kept.
  std::int64_t keep = 2;

  bool operator==(const CheckpointSpec&) const = default;
};

/// What a trial occupies while it runs, and when. Does not change the identity.
struct ResourceSpec {
  /// Processor cores of each process.
  std::int64_t cpus = 1;
  /// GPUs of the whole trial, one for each process.
  std::int64_t gpus = 0;
  /// Processes of a trial without GPUs; absent: one.
  std::optional<std::int64_t> processes = std::nullopt;
  /// Fewest processes to go on with when the nodes that are left cannot hold all; absent: all or nothing.
  std::optional<std::int64_t> min_processes = std::nullopt;
  /// Most nodes the processes may be spread over; absent: any number.
  std::optional<std::int64_t> max_nodes = std::nullopt;
  /// Trials of a higher priority start first.
  std::int64_t priority = 0;

  /// Processes that train together: one for each GPU, or as many as were asked for.
  [[nodiscard]] std::int64_t num_processes() const { return gpus > 0 ? gpus : processes.value_or(1); }

  /// GPUs of a trial that uses them, else processor cores: what device time counts.
  [[nodiscard]] std::int64_t num_devices() const { return gpus > 0 ? gpus : cpus * num_processes(); }

  bool operator==(const ResourceSpec&) const = default;
};

/// One cell of a sweep with every default filled in: what is hashed, stored and run.
struct TrialSpec {
  DataSpec data;
  ModelSpec model;
  ObjectiveSpec objective;
  TrainSpec train;
  CheckpointSpec checkpoint;
  std::vector<EvaluateSpec> evaluate;
  ResourceSpec resources;
  std::int64_t seed = 0;

  /// Hash of the canonical JSON without what cannot change the result (data.root, train.log_every_steps,
  /// evaluate.apart, checkpoint, resources), and without the options that later versions added where they change
  /// nothing: ids outlive versions.
  [[nodiscard]] common::TrialId id() const;
  [[nodiscard]] InputSpec input() const;
  [[nodiscard]] ModelShape shape() const;
  [[nodiscard]] common::Json to_json() const;

  bool operator==(const TrialSpec&) const = default;
};

/// cpus, gpus, processes and priority of a stored configuration, which may be older than some of them: what is not
/// there as a number has its default.
[[nodiscard]] ResourceSpec stored_resources(const common::Json& trial);

/// Strict reading: `value` (an object of `document` at `path`) over the defaults. "model" may be a published name.
/// Throws ConfigError (file, line, JSON path, found, allowed); impossible combinations are refused here too.
[[nodiscard]] TrialSpec trial_spec_from(const common::JsonDocument& document, const common::Json& value,
                                        const std::string& path);

/// The same for a document that is one trial.
[[nodiscard]] TrialSpec trial_spec_from(const common::JsonDocument& document);

}  // namespace ditscale::sweeps
