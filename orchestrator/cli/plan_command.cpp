#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/machine_facts.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/sweep_choice.hpp"
#include "orchestrator/plan/gantt.hpp"
#include "orchestrator/plan/plan.hpp"

namespace ditscale::orchestrator {

namespace {

/// `count` devices of a described node, or as many of them as the option allows.
int allowed_of(int count, const std::optional<std::int64_t>& limit, const char* option) {
  if (!limit) return count;
  if (*limit > count)
    throw common::UsageError(fmt::format("{0} {1}: each of the nodes described has {2}; {0}-per-node describes more",
                                         option, *limit, count));
  return static_cast<int>(*limit);
}

std::vector<AgentReport> described(const ClusterDescription& cluster, const DeviceLimits& limits) {
  if (!limits.cpu_list.empty())
    throw common::UsageError(
        "--slots-cpus names processors of this machine, and other nodes are described; say how many with --cpus");
  const int most_cpus = cluster.cpus_per_node.value_or(static_cast<int>(local_devices({}).cpus.size()));
  const int num_cpus = allowed_of(most_cpus, limits.cpus, "--cpus");
  const int num_gpus = allowed_of(cluster.gpus_per_node.value_or(0), limits.gpus, "--gpus");
  Devices devices;
  for (int cpu = 0; cpu < num_cpus; ++cpu) devices.cpus.push_back(cpu);
  // As CUDA names them; sorted as text, which is how devices are kept.
  for (int gpu = 0; gpu < num_gpus; ++gpu) devices.gpus.push_back(std::to_string(gpu));
  std::sort(devices.gpus.begin(), devices.gpus.end());
  std::vector<AgentReport> agents;
  for (int rank = 1; rank <= cluster.num_nodes.value_or(1); ++rank) {
    agents.push_back({rank, fmt::format("node{}", rank), devices});
  }
  return agents;
}

/// Of this machine unless other nodes are planned for; the options say what it does not know, or better.
MachineFacts planned_machine(const PlanOptions& options, const sweeps::Sweep& sweep) {
  MachineFacts machine = options.cluster.is_given() ? MachineFacts() : this_machine(sweep);
  if (options.gpu_name) machine.gpu_name = *options.gpu_name;
  if (options.gpu_memory_bytes) machine.memory.gpu_bytes = static_cast<double>(*options.gpu_memory_bytes);
  if (options.node_memory_bytes) machine.memory.node_bytes = static_cast<double>(*options.node_memory_bytes);
  return machine;
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
  const MachineFacts machine = planned_machine(options, sweep);
  const SpeedOf speeds = speeds_of(study_of(options.sweep.runs, sweep.name), machine.gpu_name);
  const std::vector<AgentReport> agents = options.cluster.is_given() ? described(options.cluster, options.limits)
                                                                     : std::vector{local_report(options.limits)};
  FailureQuestion failures;
  failures.num_runs = options.num_failure_runs;
  Plan plan = make_plan(sweep, agents, speeds, failures, machine.memory);
  plan.price_per_hour = options.price_per_hour;
  const std::size_t columns = environment.terminal_columns;
  const std::string text =
      (options.json ? plan_json(plan).dump(2) + "\n" : plan_text(plan, columns)) + drawn(plan, options, columns);
  std::fputs(text.c_str(), stdout);
  return plan.num_refused() == 0 ? common::ExitCode::kDone : common::ExitCode::kError;
}

}  // namespace ditscale::orchestrator
