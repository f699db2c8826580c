#include "orchestrator/cli/command_line.hpp"

#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>

#include "common/error.hpp"
#include "common/exit_code.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 error, 2 usage, 3 finished with failed trials, 4 incomplete (run again), 5 nothing to do.\n";

constexpr const char* kPlanExample =
    "Example:\n"
    "  orchestrator plan sweeps/fashion_mnist_demo.json --set base.train.steps=3000 --cpus 2\n";

constexpr const char* kRunExample =
    "Example:\n"
    "  orchestrator run sweeps/fashion_mnist_demo.json --runs runs --time 00:30:00\n"
    "The same command again goes on where it stopped and runs nothing twice. Ctrl-C once saves and stops, twice "
    "kills.\n"
    "On several nodes start it by mpirun: rank 0 coordinates, one further rank on each node is its agent:\n"
    "  mpirun -n 3 --bind-to none orchestrator run SWEEP.json\n";

constexpr const char* kStatusExample =
    "Example:\n"
    "  orchestrator status last --json\n"
    "  orchestrator status fashion_mnist_demo --runs runs\n";

void add_sweep(CLI::App& command, SweepChoice& sweep) {
  command.add_option("sweep", sweep.file, "Sweep file (JSON)")->required()->type_name("SWEEP.json");
  command.add_option("--set", sweep.assignments, "Set a field of the sweep: base.train.steps=100 (may be repeated)")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  command.add_option("--runs", sweep.runs, "Folder of all studies")->type_name("DIR")->capture_default_str();
}

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

void add_plan(CLI::App& app, PlanOptions& options) {
  CLI::App* command = app.add_subcommand("plan", "Show what a sweep would train, and what that costs");
  add_sweep(*command, options.sweep);
  add_devices(*command, options.limits);
  command->add_flag("--json", options.json, "Print JSON");
  command->footer(kPlanExample);
}

void add_run(CLI::App& app, RunOptions& options, std::string& limit) {
  CLI::App* command = app.add_subcommand("run", "Train every cell of a sweep on this machine's devices");
  add_sweep(*command, options.sweep);
  add_devices(*command, options.limits);
  command->add_option("--retries", options.policy.retries, "Further attempts after a failure of the trial's own")
      ->type_name("N")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_option("--time", limit, "Stop in time before this much has passed (exit code 4)")
      ->type_name("SECONDS|HH:MM:SS");
  command->add_option("--silence", options.timing.silence_s, "Kill a trainer that says nothing for so many seconds")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 1e9))
      ->capture_default_str();
  command->add_option("--worker", options.worker, "Program that trains (default: worker beside this one)")
      ->type_name("PATH");
  command->add_flag("--json", options.json, "Print the results as JSON; progress goes to standard error");
  command->add_flag("--dry-run", options.dry_run, "Show the plan and what is left to do; start nothing");
  command->add_option("--launcher", options.launcher)->group("");
  command->add_option("--live-columns", options.live_columns)->group("");
  command->footer(std::string(kRunExample) + kExitCodes);
}

void add_status(CLI::App& app, StatusOptions& options) {
  CLI::App* command = app.add_subcommand("status", "Show states and scores of a study from its database");
  command->add_option("study", options.study, "Sweep name, sweep file, study folder, or last")
      ->type_name("SWEEP|last")
      ->capture_default_str();
  command->add_option("--runs", options.runs, "Folder of all studies")->type_name("DIR")->capture_default_str();
  command->add_flag("--json", options.json, "Print JSON");
  command->footer(kStatusExample);
}

std::optional<double> parse_part(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && std::isfinite(value) && value >= 0;
  return good ? std::optional<double>(value) : std::nullopt;
}

}  // namespace

double parse_duration_s(const std::string& text) {
  double seconds = 0;
  int parts = 0;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(':', start), text.size());
    const auto part = parse_part(text.substr(start, end - start));
    if (!part || ++parts > 3) {
      seconds = 0;
      break;
    }
    seconds = seconds * 60 + *part;
    start = end + 1;
  }
  if (seconds <= 0) throw common::UsageError(fmt::format("--time {}: write seconds (90) or HH:MM:SS (01:30:00)", text));
  return seconds;
}

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
  CLI::App app("Plans and runs scaling studies of Diffusion Transformers.", "orchestrator");
  app.require_subcommand(1);
  app.footer(std::string(kRunExample) + kExitCodes);
  PlanOptions plan;
  RunOptions run;
  StatusOptions status;
  std::string limit;
  add_plan(app, plan);
  add_run(app, run, limit);
  add_status(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return {std::nullopt, common::to_int(code == 0 ? common::ExitCode::kDone : common::ExitCode::kUsage)};
  }
  if (!limit.empty()) run.limit_s = parse_duration_s(limit);
  if (app.got_subcommand("plan")) return {plan, 0};
  if (app.got_subcommand("run")) return {run, 0};
  return {status, 0};
}

}  // namespace ditscale::orchestrator
