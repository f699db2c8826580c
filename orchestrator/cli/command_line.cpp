#include "orchestrator/cli/command_line.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <CLI/CLI.hpp>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/text.hpp"
#include "common/usage_text.hpp"
#include "orchestrator/cli/batch_command_line.hpp"
#include "orchestrator/cli/sweep_choice.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 error, 2 usage, 3 finished with failed trials, 4 incomplete (run again), 5 nothing to do.\n";

/// Options that are read as text first.
struct Texts {
  std::string limit;
  std::string shard;
  /// Absent: not asked for; empty: without a file.
  std::optional<std::string> gantt;
};

/// The command line in CLI11's order (last first); what stands behind "--" of `submit` is sbatch's.
std::vector<std::string> own_arguments(int argc, const char* const* argv, std::vector<std::string>& sbatch_arguments) {
  std::vector<std::string> own(argv + 1, argv + argc);
  const auto dashes = std::find(own.begin(), own.end(), "--");
  if (!own.empty() && own.front() == "submit" && dashes != own.end()) {
    sbatch_arguments.assign(dashes + 1, own.end());
    own.erase(dashes, own.end());
  }
  std::reverse(own.begin(), own.end());
  return own;
}

constexpr const char* kPlanExample =
    "Example:\n"
    "  orchestrator plan sweeps/fashion_mnist_demo.json --set base.train.steps=3000 --cpus 2\n"
    "  orchestrator plan sweeps/dit_paper_grid.json --nodes 16 --gpus-per-node 8 --cpus-per-node 64 --failures 100\n"
    "Exit codes: 0 done, 1 error or a trial that cannot run there, 2 usage.\n";

constexpr const char* kRunExample =
    "Example:\n"
    "  orchestrator run sweeps/fashion_mnist_demo.json --runs runs --time 00:30:00\n"
    "The same command again goes on where it stopped and runs nothing twice. Ctrl-C once saves and stops, twice "
    "kills.\n"
    "On several nodes start it by mpirun: rank 0 coordinates, one further rank on each node is its agent:\n"
    "  mpirun --host NODE1:2,NODE2:1 --bind-to none orchestrator run SWEEP.json\n";

constexpr const char* kStatusExample =
    "Example:\n"
    "  orchestrator status last --json\n"
    "  orchestrator status fashion_mnist_demo --watch\n"
    "  orchestrator status fashion_mnist_demo --runs runs\n";

}  // namespace

void add_silence(CLI::App& command, double& seconds) {
  command.add_option("--silence", seconds, "Kill a trainer that says nothing for so many seconds")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 1e9))
      ->capture_default_str();
}

void add_sweep(CLI::App& command, SweepChoice& sweep) {
  command.add_option("sweep", sweep.file, "Sweep file (JSON)")->required()->type_name("SWEEP.json");
  command.add_option("--set", sweep.assignments, "Set a field of the sweep: base.train.steps=100 (may be repeated)")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  command.add_option("--runs", sweep.runs, "Folder of all studies")->type_name("DIR")->capture_default_str();
}

void add_study(CLI::App& command, StudyChoice& choice) {
  command.add_option("study", choice.study, "Sweep name, sweep file, study folder, or last")
      ->type_name("SWEEP|last")
      ->capture_default_str();
  command.add_option("--runs", choice.runs, "Folder of all studies")->type_name("DIR")->capture_default_str();
}

namespace {

void add_devices(CLI::App& command, DeviceLimits& limits) {
  command.add_option("--cpus", limits.cpus, "Use only so many cores of each node")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20));
  command.add_option("--gpus", limits.gpus, "Use only so many GPUs of each node")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 20));
  command.add_option("--slots-cpus", limits.cpu_list, "Use only these logical processors, as in 0-3,6")
      ->type_name("LIST");
}

void add_memory(CLI::App& command, PlanOptions& options) {
  command.add_option("--gpu-name", options.gpu_name, "The GPUs' model, as \"NVIDIA H100\": what is expected of them");
  command.add_option("--gpu-memory", options.gpu_memory_bytes, "Of one GPU, as 80GB or 16GiB: shows what fits")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 50))
      ->type_name("SIZE");
  command
      .add_option("--memory-per-node", options.node_memory_bytes,
                  "Shared by a node's trials without GPU (default: as this machine, unless other nodes are described)")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 50))
      ->type_name("SIZE");
}

void add_plan(CLI::App& app, PlanOptions& options, Texts& texts) {
  CLI::App* command = app.add_subcommand("plan", "Show what a sweep would train, and what that costs");
  add_sweep(*command, options.sweep);
  add_devices(*command, options.limits);
  const CLI::Range count(1, 1 << 20);
  command->add_option("--nodes", options.cluster.num_nodes, "Plan for so many nodes instead of this machine")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000));
  command->add_option("--cpus-per-node", options.cluster.cpus_per_node, "Cores of each (default: as this machine)")
      ->type_name("N")
      ->check(count);
  command->add_option("--gpus-per-node", options.cluster.gpus_per_node, "GPUs of each (default: none)")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 20));
  command->add_option("--price-per-hour", options.price_per_hour, "Of one GPU, or of one core for trials without")
      ->type_name("PRICE")
      ->check(CLI::Range(0.0, 1e9));
  add_memory(*command, options);
  command->add_option("--failures", options.num_failure_runs, "Simulate so many runs in which nodes fail")
      ->type_name("RUNS")
      ->check(CLI::Range(0, 100'000));
  command->add_option("--gantt", texts.gantt, "Draw the schedule, here or into a file")
      ->type_name("[FILE.svg]")
      ->expected(0, 1);
  command->add_flag("--json", options.json, "Print JSON");
  command->footer(kPlanExample);
}

void add_allocation(CLI::App& command, RunOptions& options) {
  command.add_flag("--allocation", options.allocation,
                   "Run on all nodes of the Slurm job this is called in (as `orchestrator submit` does)");
  command.add_option("--batch-script", options.batch_script)->group("");
  command.add_option("--time-left", options.time_left_s)->group("");
  command.add_option("--verdict", options.verdict)->group("");
}

void add_run(CLI::App& app, RunOptions& options, Texts& texts) {
  CLI::App* command = app.add_subcommand("run", "Train every cell of a sweep on this machine's devices");
  add_sweep(*command, options.sweep);
  add_devices(*command, options.limits);
  command->add_option("--retries", options.policy.retries, "Further attempts after a failure of the trial's own")
      ->type_name("N")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_option("--time", texts.limit, "Stop in time before this much has passed (exit code 4)")
      ->type_name("SECONDS|[D-]HH:MM:SS");
  command->add_option("--shard", texts.shard, "Run one of several parts of the sweep, as a study of its own")
      ->type_name("K/N");
  add_allocation(*command, options);
  add_silence(*command, options.timing.silence_s);
  command->add_option("--worker", options.worker, "Program that trains (default: worker beside this one)")
      ->type_name("PATH");
  command->add_flag("--json", options.json, "Print the results as JSON; progress goes to standard error");
  command->add_flag("--dry-run", options.dry_run, "Show the plan and what is left to do; start nothing");
  command->add_flag("--mpi", options.mpi,
                    "As an MPI job of coordinator and agent, as on a cluster (default: one process)");
  command->add_option("--launcher", options.launcher)->group("");
  command->add_option("--live-columns", options.live_columns)->group("");
  command->footer(std::string(kRunExample) + kExitCodes);
}

void add_status(CLI::App& app, StatusOptions& options) {
  CLI::App* command = app.add_subcommand("status", "Show states and scores of a study from its database");
  add_study(*command, options.choice);
  CLI::Option* json = command->add_flag("--json", options.json, "Print JSON");
  command->add_flag("--watch", options.watch, "Show it again and again until the study has ended")->excludes(json);
  command->footer(kStatusExample);
}

/// A sweep file that stands behind a bare --gantt would be taken for the picture, and written over.
void read_gantt(const std::string& text, PlanOptions& options) {
  options.gantt = text.empty();
  if (options.gantt) return;
  options.gantt_file = text;
  if (options.gantt_file->extension() != ".svg") {
    throw common::UsageError(fmt::format(
        "--gantt {}: write a file that ends in .svg, or nothing (with the sweep before it) to draw into the terminal",
        text));
  }
}

std::optional<double> parse_part(const std::string& text) {
  const auto value = common::number_from<double>(text);
  return value && std::isfinite(*value) && *value >= 0 ? value : std::nullopt;
}

/// Empty for what is no duration.
std::optional<double> seconds_of(const std::string& text) {
  constexpr std::array<double, 3> kUnits_s{3600, 60, 1};
  constexpr double kDay_s = 86'400;
  const std::size_t dash = text.find('-');
  const bool has_days = dash != std::string::npos;
  const auto days = has_days ? common::count_in(text.substr(0, dash)) : 0;
  const std::vector<std::string> parts = common::split(has_days ? text.substr(dash + 1) : text, ':');
  if (!days || parts.size() > kUnits_s.size()) return std::nullopt;
  // Hours follow days; otherwise seconds stand last.
  std::size_t unit = has_days ? 0 : kUnits_s.size() - parts.size();
  double seconds = *days * kDay_s;
  for (const std::string& each : parts) {
    const auto part = parse_part(each);
    if (!part) return std::nullopt;
    seconds += *part * kUnits_s[unit++];
  }
  return seconds;
}

}  // namespace

double parse_duration_s(const std::string& text) {
  constexpr double kLongest_s = 1e9;
  const std::optional<double> seconds = seconds_of(text);
  if (!seconds || !(*seconds > 0 && *seconds <= kLongest_s))
    throw common::UsageError(
        fmt::format("--time {}: write seconds (90), HH:MM:SS (01:30:00) or D-HH:MM:SS (2-00:00:00)", text));
  return *seconds;
}

ParsedCommandLine parse_command_line(int argc, const char* const* argv, const std::string& version) {
  CLI::App app("Plans and runs scaling studies of Diffusion Transformers.", "orchestrator");
  app.require_subcommand(1);
  app.failure_message(common::usage_text);
  app.set_version_flag("--version", version);
  app.footer(std::string(kRunExample) + kExitCodes);
  PlanOptions plan;
  RunOptions run;
  StatusOptions status;
  Texts texts;
  add_plan(app, plan, texts);
  add_run(app, run, texts);
  add_status(app, status);
  BatchCommands batch(app);
  try {
    std::vector<std::string> sbatch_arguments;
    app.parse(own_arguments(argc, argv, sbatch_arguments));
    batch.finish(std::move(sbatch_arguments));
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return {std::nullopt, common::to_int(code == 0 ? common::ExitCode::kDone : common::ExitCode::kUsage)};
  }
  if (!texts.limit.empty()) run.limit_s = parse_duration_s(texts.limit);
  if (!texts.shard.empty()) run.sweep.shard = parse_shard(texts.shard);
  if (texts.gantt) read_gantt(*texts.gantt, plan);
  if (app.got_subcommand("plan")) return {plan, 0};
  if (app.got_subcommand("run")) return {run, 0};
  if (app.got_subcommand("status")) return {status, 0};
  return {batch.chosen(), 0};
}

}  // namespace ditscale::orchestrator
