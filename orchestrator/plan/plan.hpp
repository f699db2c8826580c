#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "orchestrator/coordinator/events.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// What one cell would cost.
struct PlanRow {
  common::TrialId id;
  std::string label;
  Ask ask;
  std::int64_t total_parameters = 0;
  std::int64_t forward_macs = 0;
  /// Real FLOPs of the whole training.
  double training_flops = 0;
  /// Training state and activations of the largest micro-batch, in fp32; an estimate without the allocator's slack.
  double memory_bytes = 0;
  /// Checkpoints that are kept, and the one being written.
  double disk_bytes = 0;
  double predicted_s = 0;
};

/// What a sweep would cost on these nodes.
struct Plan {
  std::string name;
  std::vector<PlanRow> rows;
  std::vector<sweeps::ExcludedCell> excluded;
  std::vector<AgentReport> agents;
  /// Sum of seconds x devices (GPUs of trials that use them, else cores).
  double device_seconds = 0;
  double disk_bytes = 0;
  /// Of longest first on these nodes, and what no schedule can beat.
  double makespan_s = 0;
  double makespan_bound_s = 0;
  /// The rates behind the seconds were measured in this study; else they are an assumption.
  bool rates_measured = false;
};

/// Measured MACs per second for an ask; empty when unknown.
using RateOf = std::function<std::optional<double>(const Ask&)>;

/// Plans every cell. Throws ConfigError when a cell fits on none of the nodes.
[[nodiscard]] Plan make_plan(const sweeps::Sweep& sweep, const std::vector<AgentReport>& agents, const RateOf& rate_of);

[[nodiscard]] std::string plan_text(const Plan& plan);
[[nodiscard]] common::Json plan_json(const Plan& plan);

}  // namespace ditscale::orchestrator
