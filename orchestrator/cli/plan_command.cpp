#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "common/atomic_file.hpp"
#include "orchestrator/agent/gpu_facts.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/sweep_choice.hpp"
#include "orchestrator/plan/gantt.hpp"
#include "orchestrator/plan/plan.hpp"

namespace ditscale::orchestrator {

namespace {

std::vector<AgentReport> described(const ClusterDescription& cluster, const Devices& here) {
  Devices devices;
  const int num_cpus = cluster.cpus_per_node.value_or(static_cast<int>(here.cpus.size()));
  for (int cpu = 0; cpu < num_cpus; ++cpu) devices.cpus.push_back(cpu);
  // As CUDA names them; sorted as text, which is how devices are kept.
  for (int gpu = 0; gpu < cluster.gpus_per_node.value_or(0); ++gpu) devices.gpus.push_back(std::to_string(gpu));
  std::sort(devices.gpus.begin(), devices.gpus.end());
  std::vector<AgentReport> agents;
  for (int rank = 1; rank <= cluster.num_nodes.value_or(1); ++rank) {
    agents.push_back({rank, fmt::format("node{}", rank), devices});
  }
  return agents;
}

std::optional<double> in_double(const std::optional<std::uint64_t>& bytes) {
  return bytes ? std::optional<double>(static_cast<double>(*bytes)) : std::nullopt;
}

/// Of this machine; empty when other nodes are planned for, or no trial asks for a GPU.
std::optional<GpuFacts> gpu_here(const PlanOptions& options, const sweeps::Sweep& sweep) {
  const bool is_asked_for = std::any_of(sweep.cells.begin(), sweep.cells.end(),
                                        [](const sweeps::Cell& cell) { return cell.trial.resources.gpus > 0; });
  return is_asked_for && !options.cluster.is_given() ? local_gpu_facts() : std::nullopt;
}

DeviceMemory memory_of(const PlanOptions& options, const std::optional<GpuFacts>& gpu) {
  DeviceMemory memory{in_double(options.gpu_memory_bytes), in_double(options.node_memory_bytes)};
  if (!memory.gpu_bytes && gpu) memory.gpu_bytes = gpu->memory_bytes;
  if (!memory.node_bytes && !options.cluster.is_given()) memory.node_bytes = local_memory_bytes();
  return memory;
}

/// The last part of what is printed.
std::string drawn(const Plan& plan, const PlanOptions& options, std::size_t terminal_columns) {
  constexpr std::size_t kMaxLines = 40;
  constexpr std::size_t kMaxLinesOfPicture = 200;
  constexpr std::size_t kColumnsOfFile = 100;
  if (options.gantt_file) {
    common::write_file_atomically(*options.gantt_file, gantt_svg(gantt_of(plan, kMaxLinesOfPicture)));
  }
  if (!options.gantt || options.json) return "";
  return "\n" + gantt_text(gantt_of(plan, kMaxLines), terminal_columns == 0 ? kColumnsOfFile : terminal_columns);
}

}  // namespace

common::ExitCode plan_command(PlanOptions options, const Environment& environment) {
  options.limits.visible_gpus = environment.visible_gpus;
  const sweeps::Sweep sweep = load_sweep(options.sweep);
  const std::optional<GpuFacts> gpu = gpu_here(options, sweep);
  const std::string gpu_name = options.gpu_name.value_or(gpu ? gpu->name : "");
  const SpeedOf speeds = speeds_of(study_of(options.sweep.runs, sweep.name), gpu_name);
  std::vector<AgentReport> agents{local_report(options.limits)};
  if (options.cluster.is_given()) agents = described(options.cluster, agents.front().devices);
  FailureQuestion failures;
  failures.num_runs = options.num_failure_runs;
  Plan plan = make_plan(sweep, agents, speeds, failures, memory_of(options, gpu));
  plan.price_per_hour = options.price_per_hour;
  const std::string text = (options.json ? plan_json(plan).dump(2) + "\n" : plan_text(plan)) +
                           drawn(plan, options, environment.terminal_columns);
  std::fputs(text.c_str(), stdout);
  return plan.num_refused() == 0 ? common::ExitCode::kDone : common::ExitCode::kError;
}

}  // namespace ditscale::orchestrator
