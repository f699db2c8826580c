#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/plan/forecast.hpp"
#include "orchestrator/plan/memory.hpp"
#include "sweeps/spec/speed.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// What one cell would cost.
struct PlanRow {
  common::TrialId id;
  std::string label;
  /// Of a gang that may shrink: with as many processes as the nodes hold. All below is by it.
  Ask ask;
  std::int64_t total_parameters = 0;
  std::int64_t forward_macs = 0;
  /// Real FLOPs of the whole training.
  double training_flops = 0;
  /// "fp32" or "bf16": what is expected to run.
  std::string precision;
  /// Of one process at that precision, with the micro-batch that the sweep sets; see process_memory_bytes.
  double memory_bytes = 0;
  double memory_fp32_bytes = 0;
  double memory_bf16_bytes = 0;
  /// What one process has; empty: unknown.
  std::optional<double> available_bytes;
  /// The largest that fits into that; 0: none.
  std::optional<std::int64_t> largest_micro_batch;
  /// See disk_bytes(trial).
  double disk_bytes = 0;
  double predicted_s = 0;
  /// By a speed that was measured in this study; else assumed.
  bool is_measured = false;
  /// Why it can run on none of the nodes; empty when it can.
  std::string refusal;

  /// Fits, but not with the micro-batch that the sweep sets.
  [[nodiscard]] bool needs_smaller_micro_batch() const;
};

/// What a sweep would cost on these nodes.
struct Plan {
  std::string name;
  std::vector<PlanRow> rows;
  std::vector<sweeps::ExcludedCell> excluded;
  std::vector<AgentReport> agents;
  /// Sum of seconds x devices (GPUs of trials that use them, else cores). This and all below is of trials that can run.
  double device_seconds = 0;
  double disk_bytes = 0;
  /// Of the coordinator's own decisions on these nodes, in a simulation; and what no schedule can beat.
  Forecast forecast;
  double makespan_bound_s = 0;
  /// Behind the seconds.
  std::map<Ask, sweeps::Speed> speeds;
  /// Of one device; empty: costs are not shown.
  std::optional<double> price_per_hour;

  [[nodiscard]] std::size_t num_refused() const;
  [[nodiscard]] double device_hours() const { return device_seconds / 3600; }
  [[nodiscard]] std::optional<double> cost() const;
};

/// Measured or assumed, for an ask.
using SpeedOf = std::function<sweeps::Speed(const Ask&)>;

/// Plans every cell. With `failures`, the forecast tells what failing nodes make of it too.
[[nodiscard]] Plan make_plan(const sweeps::Sweep& sweep, const std::vector<AgentReport>& agents,
                             const SpeedOf& speed_of, const FailureQuestion& failures = {},
                             const DeviceMemory& memory = {});

/// The table is as wide as a terminal of so many columns, see fitted_table_text.
[[nodiscard]] std::string plan_text(const Plan& plan, std::size_t columns = 0);
[[nodiscard]] common::Json plan_json(const Plan& plan);

}  // namespace ditscale::orchestrator
