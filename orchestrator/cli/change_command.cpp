#include <cstdio>
#include <optional>
#include <set>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/trial_choice.hpp"
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
/// Empty in a dry run.
std::optional<common::FileLock> lock_to_change(const common::StudyPaths& study, bool dry_run) {
  if (dry_run) return std::nullopt;
  auto lock = common::FileLock::try_acquire(study.lock());
  if (lock) return lock;
  throw common::ConfigError(
      fmt::format("{}: a run works on this study; stop it first (Ctrl-C, or `orchestrator cancel`), then change trials",
                  study.folder.string()));
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
  if (is_worked_on(study)) {
    throw common::ConfigError(
        fmt::format("{}: no job of it is on record, but a run works on it: stop that with Ctrl-C where it was started",
                    study.folder.string()));
  }
  std::puts("nothing to cancel: no job of this study waits or runs");
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
