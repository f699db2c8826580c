#include "orchestrator/cli/rank.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <future>
#include <set>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "orchestrator/agent/agent.hpp"
#include "orchestrator/agent/gpu_facts.hpp"
#include "orchestrator/agent/local_world.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/sweep_choice.hpp"
#include "orchestrator/coordinator/coordinator.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "orchestrator/launcher/lock_holder.hpp"
#include "orchestrator/launcher/parent.hpp"
#include "orchestrator/launcher/verdict.hpp"
#include "orchestrator/mpi/launch_arguments.hpp"
#include "orchestrator/mpi/mpi_world.hpp"
#include "orchestrator/view/report.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

namespace {

/// Into the study's folder only: standard error belongs to the display.
void start_study_log(const common::StudyPaths& paths) {
  common::make_folder(paths.folder);
  try {
    auto logger = spdlog::basic_logger_mt("coordinator", paths.log().string());
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
    logger->flush_on(spdlog::level::warn);
    // A full disk must not drown the terminal in complaints about the log; the database's own error is shown.
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& error) {
    throw common::SystemError(error.what());
  }
}

std::set<common::TrialId> ids_of(const sweeps::Sweep& sweep) {
  std::set<common::TrialId> ids;
  for (const sweeps::Cell& cell : sweep.cells) ids.insert(cell.id);
  return ids;
}

void print_report(const common::StudyPaths& paths, const sweeps::Sweep& sweep, ExitCode code,
                  const RunOptions& options) {
  const Report report = read_report(paths, ids_of(sweep));
  if (!options.json) {
    std::fputs(report_text(report, options.live_columns).c_str(), stdout);
  } else {
    common::Json document = report_json(report);
    document["exit_code"] = common::to_int(code);
    std::fputs((document.dump(2) + "\n").c_str(), stdout);
  }
  std::fflush(stdout);
}

/// All trials have ended in earlier runs.
ExitCode nothing_left(const State& state, Display& display) {
  display.close();
  for (const Trial& trial : state.trials) {
    if (!trial.ended_badly()) continue;
    display.notice(
        "nothing to do: every trial has ended, and not every one succeeded; a higher --retries gives failed ones more "
        "attempts, `orchestrator retry` any of them another");
    return ExitCode::kFinishedWithFailures;
  }
  display.notice("nothing to do: every trial has succeeded already, or was stopped early");
  return ExitCode::kNothingToDo;
}

std::optional<double> limit_of(const RunOptions& options) {
  if (!options.limit_s || !options.time_left_s) return options.limit_s ? options.limit_s : options.time_left_s;
  return std::min(*options.limit_s, *options.time_left_s);
}

ExitCode run_study(World& world, const RunOptions& options, const sweeps::Sweep& sweep,
                   const common::StudyPaths& paths) {
  const common::SystemClock clock;
  refuse_other_ids(paths, sweep);
  start_study_log(paths);
  Study study(paths, sweep);
  sign_lock(paths.lock(), options.launcher.value_or(::getpid()));
  State state = make_state(sweep.cells, options.policy, clock.unix_s(), limit_of(options));
  if (sweep.early_stopping) state.halving.emplace(*sweep.early_stopping);
  study.record(restore(state, study.past(), clock.unix_s()));
  const auto display = make_display(options.json ? stderr : stdout, sweep.name, options.live_columns, options.timing,
                                    clock, paths.outlook());
  if (nothing_to_do(state)) return nothing_left(state, *display);
  StopSource stop_source(options.launcher.has_value());
  const bool in_allocation = options.verdict.has_value();
  return Coordinator({world, study, state, *display, stop_source, clock, options.timing, in_allocation}).run();
}

ExitCode coordinate(World& world, const RunOptions& options, std::future<sweeps::Sweep>& loaded) {
  const sweeps::Sweep sweep = loaded.get();
  const common::StudyPaths paths = study_of(options.sweep.runs, sweep.name);
  const ExitCode code = run_study(world, options, sweep, paths);
  print_report(paths, sweep, code, options);
  if (code == ExitCode::kIncomplete && !options.verdict)
    std::fputs("not complete: run the same command again to go on\n", stderr);
  return code;
}

/// Agents end whatever happens to the coordinator, and MPI ends in order, so that mpirun has nothing to add.
ExitCode run_coordinator(World& world, const RunOptions& options, std::future<sweeps::Sweep>& loaded) {
  try {
    const ExitCode code = coordinate(world, options, loaded);
    shut_down_agents(world, options.timing);
    if (options.verdict) write_verdict(*options.verdict, code);
    return code;
  } catch (...) {
    shut_down_agents(world, options.timing);
    if (options.verdict) write_verdict(*options.verdict, ExitCode::kError);
    throw;
  }
}

sigset_t only_signal(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

/// An agent does as its coordinator says; of signals it obeys only those that end it (and so its trainers, gently).
void leave_signals_to_coordinator() {
  for (const int ignored : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE}) ::signal(ignored, SIG_IGN);
  const sigset_t ends = only_signal(SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &ends, nullptr);
}

TrainerSettings trainer_settings(const RunOptions& options, const Environment& environment) {
  TrainerSettings settings;
  settings.worker = *options.worker;
  settings.mpirun = find_program("mpirun", environment.path);
  if (environment.is_root) {
    for (const auto& [name, value] : root_permissions()) settings.mpirun_environment[name] = value;
  }
  settings.silence_s = options.timing.silence_s;
  settings.gpus_by_bus = !options.limits.visible_gpus;
  return settings;
}

/// The coordinator as rank 0.
ExitCode run_first_rank(MpiWorld& world, const RunOptions& options, std::future<sweeps::Sweep>& loaded) {
  if (world.size() < 2) {
    throw common::UsageError(
        "an MPI job of one rank has no agent to train on; start it with mpirun -n 2 or more, or "
        "without mpirun (inside `srun --pty`, which looks like an MPI job: unset OMPI_COMM_WORLD_SIZE PMIX_RANK "
        "PMI_RANK PMI_SIZE)");
  }
  return run_coordinator(world, options, loaded);
}

/// With the GPUs' name too, which takes a moment to find out.
AgentReport agent_report(const RunOptions& options, const Environment& environment) {
  AgentReport report = local_report(options.limits, environment.node_name);
  if (report.devices.gpus.empty()) return report;
  if (const auto facts = local_gpu_facts()) report.gpu_name = facts->name;
  return report;
}

void run_as_agent(World& world, const RunOptions& options, const Environment& environment) {
  leave_signals_to_coordinator();
  const common::SystemClock clock;
  const TrainerSettings settings = trainer_settings(options, environment);
  run_agent(world, agent_report(options, environment), settings, options.timing, clock);
}

}  // namespace

ExitCode run_here(const RunOptions& options, const Environment& environment) {
  StopSource::block_signals();
  ::signal(SIGPIPE, SIG_IGN);  // whoever reads the display may leave; the study goes on
  std::future<sweeps::Sweep> sweep = std::async(std::launch::deferred, [&] { return load_sweep(options.sweep); });
  const common::SystemClock clock;
  const TrainerSettings settings = trainer_settings(options, environment);
  LocalAgent agent(agent_report(options, environment), settings, options.timing, clock);
  return run_coordinator(agent.world(), options, sweep);
}

ExitCode run_rank(const RunOptions& options, const Environment& environment) {
  end_with_parent(SIGKILL, environment.parent, options.launcher);
  StopSource::block_signals();
  // MPI's threads would wake at the end of every trainer.
  const sigset_t ends = only_signal(SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  // Reading a large sweep takes as long as MPI takes to start. Where the first rank cannot be told yet, it reads later.
  const auto when = environment.expects_first_rank ? std::launch::async : std::launch::deferred;
  std::future<sweeps::Sweep> sweep = std::async(when, [&] { return load_sweep(options.sweep); });
  MpiWorld world;
  ExitCode code = ExitCode::kDone;
  try {
    if (world.rank() == 0) {
      code = run_first_rank(world, options, sweep);
    } else {
      run_as_agent(world, options, environment);
    }
  } catch (const std::exception&) {
    if (world.rank() == 0) world.finish();
    throw;
  }
  world.finish();
  return code;
}

}  // namespace ditscale::orchestrator
