#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/doctor_checks.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/cli/machine_facts.hpp"
#include "orchestrator/cli/rank.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/study_needs.hpp"
#include "orchestrator/cli/sweep_choice.hpp"
#include "orchestrator/coordinator/admission.hpp"
#include "orchestrator/launcher/allocation_run.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "orchestrator/mpi/launch_arguments.hpp"
#include "results/reader.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

namespace {

constexpr int kNumRanks = 2;
constexpr int kSignalBase = 128;

void check_worker(const std::filesystem::path& worker) {
  if (is_program(worker)) return;
  throw common::ConfigError(
      fmt::format("{}: there is no program that could train here. Build it (`make`), or name it with --worker PATH",
                  worker.string()));
}

std::string find_mpirun(const Environment& environment) {
  const std::string mpirun = find_program("mpirun", environment.path);
  if (mpirun.empty()) {
    throw common::ConfigError(
        "mpirun is not on PATH. Install Open MPI (Debian: apt-get install openmpi-bin), or load your cluster's MPI "
        "module");
  }
  return mpirun;
}

/// This program again, as what the launcher watches.
std::vector<std::string> own_arguments(const RunOptions& options, const Environment& environment,
                                       const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{environment.program.string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::size_t columns = options.json ? 0 : environment.terminal_columns;
  for (const std::string& extra : {std::string("--launcher"), std::to_string(::getpid()), std::string("--live-columns"),
                                   std::to_string(columns)}) {
    argv.push_back(extra);
  }
  return argv;
}

std::vector<std::string> job_arguments(const RunOptions& options, const Environment& environment,
                                       const std::vector<std::string>& launch,
                                       const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{find_mpirun(environment)};
  argv.insert(argv.end(), launch.begin(), launch.end());
  const std::vector<std::string> own = own_arguments(options, environment, arguments);
  argv.insert(argv.end(), own.begin(), own.end());
  return argv;
}

/// A quiet mpirun that cannot start anything ends as a run that has failed, and has said nothing.
void explain_mpi(const JobEnd& end, const std::string& path) {
  if (end.code != common::to_int(ExitCode::kError)) return;
  const Finding mpi = look_at_mpi(path);
  if (mpi.kind == Finding::Kind::kBad)
    std::fprintf(stderr, "orchestrator: %s; %s\n", mpi.text.c_str(), mpi.advice.c_str());
}

ExitCode explain_end(const JobEnd& end) {
  const int code = end.code;
  if (code <= common::to_int(ExitCode::kNothingToDo)) return static_cast<ExitCode>(code);
  if (code >= kSignalBase) {
    std::fprintf(stderr,
                 "orchestrator: the run was cut short (a process of it ended by signal %d). Nothing that was saved is "
                 "lost: run the same command again to go on\n",
                 code - kSignalBase);
    return ExitCode::kIncomplete;
  }
  std::fprintf(stderr, "orchestrator: the run ended with exit code %d; `orchestrator doctor` looks at what it needs\n",
               code);
  return ExitCode::kError;
}

/// Without the cells that have ended in earlier runs.
sweeps::Sweep what_is_left(sweeps::Sweep sweep, const common::StudyPaths& study) {
  if (!std::filesystem::exists(study.database())) return sweep;
  std::set<common::TrialId> ended;
  for (const results::OutlinedTrial& trial : results::ResultsReader(study.database()).outlined_trials()) {
    if (results::is_final(trial.row.trial.state)) ended.insert(trial.row.trial.id);
  }
  std::erase_if(sweep.cells, [&](const sweeps::Cell& cell) { return ended.count(cell.id) != 0; });
  return sweep;
}

void check_room(const sweeps::Sweep& sweep, const common::StudyPaths& study, const AgentReport& here) {
  if (!why_too_large(sweep.cells, {here})) return;
  if (const auto problem = why_too_large(what_is_left(sweep, study).cells, {here})) throw common::ConfigError(*problem);
}

void check_files(const sweeps::Sweep& sweep, const common::StudyPaths& study) {
  if (!why_files_are_missing(sweep.cells)) return;
  if (const auto problem = why_files_are_missing(what_is_left(sweep, study).cells)) throw common::ConfigError(*problem);
}

void warn_of_disk(const sweeps::Sweep& sweep, const common::StudyPaths& study) {
  if (!why_disk_is_short(sweep.cells, study)) return;
  if (const auto problem = why_disk_is_short(what_is_left(sweep, study).cells, study))
    std::fprintf(stderr, "orchestrator: %s\n", problem->c_str());
}

ExitCode dry_run(const RunOptions& options, const sweeps::Sweep& sweep, const AgentReport& here, std::size_t columns) {
  const common::StudyPaths study = study_of(options.sweep.runs, sweep.name);
  refuse_other_ids(study, sweep);
  const sweeps::Sweep left = what_is_left(sweep, study);
  const std::size_t ended = sweep.cells.size() - left.cells.size();
  const MachineFacts machine = this_machine(left);
  const Plan plan = make_plan(left, {here}, speeds_of(study, machine.gpu_name), {}, machine.memory);
  if (options.json) {
    common::Json json = plan_json(plan);
    json["ended"] = ended;
    std::fputs((json.dump(2) + "\n").c_str(), stdout);
  } else {
    std::fputs(plan_text(plan, columns).c_str(), stdout);
    std::printf("dry run: %zu of %zu trials have ended already; nothing was started\n", ended, sweep.cells.size());
    std::fputs(foreign_trials_text(study, sweep).c_str(), stdout);
  }
  return plan.num_refused() == 0 ? ExitCode::kDone : ExitCode::kError;
}

bool has_gangs(const sweeps::Sweep& sweep) {
  return std::any_of(sweep.cells.begin(), sweep.cells.end(),
                     [](const sweeps::Cell& cell) { return cell.trial.resources.num_processes() > 1; });
}

/// A run in one process needs MPI for gangs only.
void check_mpirun(const sweeps::Sweep& sweep, const common::StudyPaths& study, const Environment& environment) {
  if (has_gangs(sweep) && has_gangs(what_is_left(sweep, study))) find_mpirun(environment);
}

ExitCode run_allocation(const RunOptions& options, const Environment& environment, const sweeps::Sweep& sweep,
                        const std::vector<std::string>& arguments) {
  if (!environment.slurm_job)
    throw common::UsageError("--allocation: this is no Slurm job (SLURM_JOB_ID is not set); submit one");
  const common::StudyPaths study = study_of(options.sweep.runs, sweep.name);
  record_job(study, *environment.slurm_job);
  common::write_file_atomically(study.job_mark(*environment.slurm_job), "");
  const auto arguments_of = [&](const std::vector<std::string>& nodes, std::optional<double> left_s) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--verdict", std::filesystem::absolute(study.verdict(*environment.slurm_job)).string()});
    if (left_s) all.insert(all.end(), {"--time-left", fmt::format("{:.0f}", *left_s)});
    if (nodes.size() == 1 && nodes.front() == environment.node_name) {
      check_mpirun(sweep, study, environment);
      return own_arguments(options, environment, all);
    }
    return job_arguments(options, environment, launch_arguments(nodes), all);
  };
  // The daemons that mpirun starts share the processors with steps of a run before: one that was lost with its node may
  // be listed for long.
  ::setenv("SLURM_OVERLAP", "1", /*overwrite=*/0);
  const auto notice = [](const std::string& text) { std::fprintf(stderr, "orchestrator: %s\n", text.c_str()); };
  const slurm::Slurm slurm(notice);
  AllocationRun::Parts parts{*environment.slurm_job, environment.node_name, study, {},
                             arguments_of,           options.timing,        {},    slurm};
  if (options.batch_script) parts.go_on = [&] { return go_on_elsewhere(study, slurm, *environment.slurm_job); };
  return AllocationRun(std::move(parts)).run();
}

/// Finds what is wrong before anything starts, where the message stands alone.
ExitCode launch(const RunOptions& options, const Environment& environment, const std::vector<std::string>& arguments) {
  const sweeps::Sweep sweep = load_sweep(options.sweep);
  const AgentReport here = local_report(options.limits);
  if (options.dry_run) return dry_run(options, sweep, here, environment.terminal_columns);
  check_worker(*options.worker);
  hold_stop_signals();
  if (environment.is_root) {
    for (const auto& [name, value] : root_permissions()) ::setenv(name.c_str(), value.c_str(), 1);
  }
  const common::StudyPaths study = study_of(options.sweep.runs, sweep.name);
  check_files(sweep, study);
  warn_of_disk(sweep, study);
  if (options.allocation) return run_allocation(options, environment, sweep, arguments);
  check_room(sweep, study, here);
  if (options.mpi) {
    const auto argv = job_arguments(options, environment, launch_arguments(kNumRanks), arguments);
    const JobEnd end = run_job(argv, options.timing);
    explain_mpi(end, environment.path);
    return explain_end(end);
  }
  check_mpirun(sweep, study, environment);
  return explain_end(run_job(own_arguments(options, environment, arguments), options.timing));
}

}  // namespace

ExitCode run_command(RunOptions options, const Environment& environment, const std::vector<std::string>& arguments) {
  options.limits.visible_gpus = environment.visible_gpus;
  if (!options.worker) options.worker = environment.program.parent_path() / "worker";
  options.worker = std::filesystem::absolute(*options.worker);
  if (environment.under_mpi) return run_rank(options, environment);
  if (options.launcher) return run_here(options, environment);
  return launch(options, environment, arguments);
}

}  // namespace ditscale::orchestrator
