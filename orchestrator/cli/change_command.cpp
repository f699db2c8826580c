#include <cerrno>
#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <set>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "orchestrator/agent/inventory.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/trial_choice.hpp"
#include "orchestrator/launcher/lock_holder.hpp"
#include "results/reader.hpp"
#include "results/writer.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;
using results::TrialState;

namespace {

bool ended_badly(const ReportRow& row) {
  return results::is_final(row.trial.state) && row.trial.state != TrialState::kSucceeded &&
         row.trial.state != TrialState::kExcluded;
}

/// That is no failure.
std::set<common::TrialId> stopped_early(const common::StudyPaths& study) {
  std::set<common::TrialId> trials;
  for (const results::DecisionRecord& decision : results::ResultsReader(study.database()).decisions()) {
    if (!decision.kept) trials.insert(decision.trial);
  }
  return trials;
}

void leave_out_stopped_early(std::vector<ReportRow>& rows, const common::StudyPaths& study) {
  const std::set<common::TrialId> stopped = stopped_early(study);
  const std::size_t count = std::erase_if(rows, [&](const ReportRow& row) {
    return row.trial.state == TrialState::kCancelled && stopped.count(row.trial.id) != 0;
  });
  if (count > 0)
    std::printf("left out: %zu stopped early, which is no failure; --trial ID lets one go on all the same\n", count);
}

bool can_be_cancelled(const ReportRow& row) { return !results::is_final(row.trial.state); }

/// Of a study that nobody works on: makes this process the one writer, to be held from the moment when trials are read.
/// Empty in a dry run, which is refused in the same cases.
std::optional<common::FileLock> lock_to_change(const common::StudyPaths& study, bool dry_run) {
  std::optional<common::FileLock> lock;
  if (!dry_run) lock = common::FileLock::try_acquire(study.lock());
  if (dry_run ? !is_worked_on(study) : lock.has_value()) return lock;
  const std::string name = study.folder.filename().string();
  throw common::ConfigError(
      fmt::format("{}: a run works on this study; stop it first (`orchestrator cancel {}`, or Ctrl-C where it was "
                  "started), then change trials",
                  study.folder.string(), name));
}

/// The study's lock is held.
ExitCode set_states(const common::StudyPaths& study, const std::vector<ReportRow>& rows, TrialState state,
                    const std::string& reason, bool dry_run) {
  for (const ReportRow& row : rows) {
    std::printf("%s %s: %s%s\n", row.trial.id.brief().c_str(), row.trial.label.c_str(),
                std::string(results::to_name(state)).c_str(), dry_run ? " (dry run, nothing was changed)" : "");
  }
  if (rows.empty()) return ExitCode::kNothingToDo;
  if (dry_run) return ExitCode::kDone;
  results::ResultsWriter writer(study.database());
  const common::SystemClock clock;
  results::ResultsWriter::Batch batch(writer);
  for (const ReportRow& row : rows) {
    writer.set_trial_state(row.trial.id, state, reason, clock.unix_s());
    if (state == TrialState::kPending) writer.overrule_decisions(row.trial.id);
  }
  batch.commit();
  return ExitCode::kDone;
}

/// No run would take up a trial that is not in the sweep.
void leave_out_foreign(std::vector<ReportRow>& rows, const common::StudyPaths& study) {
  const auto cells = cells_of(study);
  if (!cells) return;
  std::erase_if(rows, [&](const ReportRow& row) {
    const bool foreign = cells->count(row.trial.id) == 0;
    if (foreign) {
      std::printf(
          "%s %s: left as it is; it was not in the sweep file at the last run. Put it back and run that once, then "
          "retry\n",
          row.trial.id.brief().c_str(), row.trial.label.c_str());
    }
    return foreign;
  });
}

ExitCode cancel_trials(const common::StudyPaths& study, const CancelOptions& options) {
  const auto lock = lock_to_change(study, options.dry_run);
  std::vector<ReportRow> rows = choose_trials(read_report(study, std::nullopt), options.trials);
  std::erase_if(rows, [](const ReportRow& row) { return !can_be_cancelled(row); });
  if (rows.empty()) std::puts("nothing to cancel: these trials have ended");
  return set_states(study, rows, TrialState::kCancelled, "cancelled on request", options.dry_run);
}

/// Whom to tell that the run of a study shall stop, which is no job on record. Throws ConfigError where that cannot be
/// done from here.
LockHolder runner_of(const common::StudyPaths& study) {
  const auto holder = holder_of(study.lock());
  const std::string folder = study.folder.string();
  if (holder && holder->is_here()) return *holder;
  if (holder && holder->host != host_name()) {
    throw common::ConfigError(fmt::format("{}: a run works on it on host {}, process {}: give this command there",
                                          folder, holder->host, holder->pid));
  }
  throw common::ConfigError(fmt::format(
      "{}: something works on it, and has not said which process that is. It may have just begun: try again "
      "in a second. A run of an earlier version, or in a container: stop it with Ctrl-C where it was started",
      folder));
}

/// Different ones, for equal ones may be heard as one.
void send(const LockHolder& runner, std::initializer_list<int> signals) {
  for (const int signal : signals) {
    if (::kill(runner.pid, signal) != 0 && errno != ESRCH)
      throw common::errno_error("kill", fmt::format("process {}", runner.pid));
  }
}

/// Of a run that was started by hand. Its launcher hears of a cancellation as often as it comes, and of two other
/// signals as of Ctrl-C twice; one that was stopped by Ctrl-Z hears nothing until it goes on.
ExitCode cancel_run(const common::StudyPaths& study, const CancelOptions& options) {
  const LockHolder runner = runner_of(study);
  if (!options.dry_run && options.at_once) send(runner, {SIGINT, SIGTERM, SIGCONT});
  if (!options.dry_run && !options.at_once) send(runner, {SIGUSR1, SIGCONT});
  std::printf("run on %s (process %d): %s%s\n", runner.host.c_str(), runner.pid,
              options.at_once ? "told to kill its trainers and end" : "asked to save and end",
              options.dry_run ? " (dry run, nothing was changed)" : "");
  return ExitCode::kDone;
}

ExitCode cancel_jobs(const common::StudyPaths& study, const CancelOptions& options) {
  const slurm::Slurm slurm([](const std::string& text) { std::fprintf(stderr, "orchestrator: %s\n", text.c_str()); });
  const std::vector<slurm::Job> jobs = living_jobs(study, slurm);
  for (const slurm::Job& job : jobs) {
    if (job.state == "SUSPENDED" && !options.at_once) {
      throw common::ConfigError(
          fmt::format("job {} is suspended, so it cannot save: `scontrol resume {}` first, or cancel it with --now "
                      "(what is not in a checkpoint is lost)",
                      job.id, job.id));
    }
    if (!options.dry_run) slurm.cancel(job, options.at_once);
    const bool saves = slurm::hears_signals(job) && !options.at_once;
    std::printf("job %s: %s%s\n", job.id.c_str(), saves ? "asked to save and end" : "cancelled",
                options.dry_run ? " (dry run, nothing was changed)" : "");
  }
  if (!jobs.empty()) return ExitCode::kDone;
  if (is_worked_on(study)) return cancel_run(study, options);
  std::puts("nothing to cancel: no job of this study waits or runs, and no run works on it");
  return ExitCode::kNothingToDo;
}

}  // namespace

ExitCode cancel_command(const CancelOptions& options) {
  if (!options.trials.empty())
    return cancel_trials(find_started_study(options.choice.runs, options.choice.study), options);
  return cancel_jobs(find_study(options.choice.runs, options.choice.study), options);
}

ExitCode retry_command(const RetryOptions& options) {
  const common::StudyPaths study = find_started_study(options.choice.runs, options.choice.study);
  const auto lock = lock_to_change(study, options.dry_run);
  const Report report = read_report(study, std::nullopt);
  std::vector<ReportRow> rows = options.trials.empty() ? report.rows : choose_trials(report, options.trials);
  std::erase_if(rows, [](const ReportRow& row) { return !ended_badly(row); });
  if (options.trials.empty()) leave_out_stopped_early(rows, study);
  if (rows.empty()) std::puts("nothing to retry: none of these trials failed, diverged or was cancelled");
  leave_out_foreign(rows, study);
  const ExitCode code = set_states(study, rows, TrialState::kPending, "asked for again", options.dry_run);
  if (code == ExitCode::kDone) {
    std::puts(std::filesystem::exists(study.job_script()) ? "`orchestrator resume` runs them"
                                                          : "`orchestrator run SWEEP.json` runs them");
  }
  return code;
}

}  // namespace ditscale::orchestrator
