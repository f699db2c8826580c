#pragma once

#include <string>
#include <vector>

#include "common/exit_code.hpp"
#include "orchestrator/cli/options.hpp"

namespace ditscale::orchestrator {

[[nodiscard]] common::ExitCode plan_command(PlanOptions options, const Environment& environment);

/// Outside MPI: starts this program again under mpirun, with `arguments` (the command line without the program), and
/// watches over it. As a rank: coordinates (rank 0) or is an agent.
[[nodiscard]] common::ExitCode run_command(RunOptions options, const Environment& environment,
                                           const std::vector<std::string>& arguments);

/// Reads the database only; Slurm is asked for the study's jobs, and not answering is no error.
[[nodiscard]] common::ExitCode status_command(const StatusOptions& options, const Environment& environment);

[[nodiscard]] common::ExitCode submit_command(const SubmitOptions& options, const Environment& environment);
/// Watches over the job this is called in, beside its batch script.
[[nodiscard]] common::ExitCode guard_command(const GuardOptions& options, const Environment& environment);
/// Cancels the study's jobs, or single trials of a study that nobody works on.
[[nodiscard]] common::ExitCode cancel_command(const CancelOptions& options);
/// Submits a study's job again.
[[nodiscard]] common::ExitCode resume_command(const ResumeOptions& options);
/// Gives trials that ended badly another attempt, in the next run.
[[nodiscard]] common::ExitCode retry_command(const RetryOptions& options);
[[nodiscard]] common::ExitCode logs_command(const LogsOptions& options);
/// Why what has not ended has not, and what will happen next.
[[nodiscard]] common::ExitCode explain_command(const ExplainOptions& options);
/// Checks this machine, each point with what to do.
[[nodiscard]] common::ExitCode doctor_command(const DoctorOptions& options, const Environment& environment);

}  // namespace ditscale::orchestrator
