#include "orchestrator/launcher/allocation_run.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <fmt/ranges.h>

#include "common/atomic_file.hpp"
#include "common/disk_refusal.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "orchestrator/launcher/verdict.hpp"
#include "results/reader.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

namespace {

void say(const std::string& text) {
  std::fprintf(stderr, "orchestrator: %s\n", text.c_str());
  std::fflush(stderr);
}

}  // namespace

ExitCode AllocationRun::run() {
  if (!wait_for_other_run()) return conclude(ExitCode::kIncomplete);
  attempts_before_ = num_attempts();
  double wait_s = parts_.policy.restart_wait_s;
  for (int start = 0; start <= parts_.policy.max_restarts; ++start) {
    try {
      const slurm::Job job = look_up();
      if (has_lost_job(job)) return ExitCode::kIncomplete;
      if (parts_.slurm.has_lost_its_script(job)) {
        say(fmt::format("Slurm has taken this node out of job {}", parts_.job));
        return go_on_later();
      }
      if (const auto code = start_once(job)) return conclude(*code);
      // The steps of the MPI job hear of it first, and end by it.
      if (!stop_signal_ && parts_.slurm.is_being_preempted(parts_.job)) return conclude(ExitCode::kIncomplete);
    } catch (const common::SystemError& error) {
      say(error.what());  // Slurm did not answer; it may do so in a while
    }
    if (!stop_signal_ && start == parts_.policy.max_restarts) break;
    if (!stop_signal_) {
      say(fmt::format("the run was cut short; starting again on the nodes that are left in {:.0f} s", wait_s));
      stop_signal_ = await_stop(wait_s);
    }
    if (stop_signal_) return conclude(ExitCode::kIncomplete);
    wait_s = std::min(2 * wait_s, parts_.policy.max_restart_wait_s);
  }
  say(fmt::format("the run was cut short {} times in this allocation; giving the nodes back",
                  parts_.policy.max_restarts + 1));
  return conclude(ExitCode::kIncomplete);
}

/// A job whose first node lost its daemon is requeued while its processes there may still run, and save.
bool AllocationRun::wait_for_other_run() {
  while (common::FileLock::is_held(parts_.study.lock())) {
    if (!std::exchange(waited_for_other_, true)) say("another run works on this study; waiting for its end");
    stop_signal_ = await_stop(parts_.policy.lock_look_s);
    if (stop_signal_) return false;
  }
  return true;
}

slurm::Job AllocationRun::look_up() const {
  const std::vector<slurm::Job> jobs = parts_.slurm.query({parts_.job});
  if (jobs.empty()) throw common::SystemError(fmt::format("Slurm does not know job {}", parts_.job));
  slurm::Job job = jobs.front();
  if (!parts_.go_on) job.batch_host.clear();  // salloc: there is no batch script, and squeue names the login node
  return job;
}

bool AllocationRun::has_lost_job(const slurm::Job& job) const {
  const bool elsewhere = !parts_.node.empty() && !job.batch_host.empty() && job.batch_host != parts_.node;
  if (!elsewhere && job.phase != slurm::JobPhase::kQueued) return false;
  say(fmt::format("job {} is {}{}: it was requeued, and goes on without this run", job.id, job.state,
                  elsewhere ? " on " + job.nodes : ""));
  return true;
}

/// The coordinator's verdict, or nothing when it was cut short.
std::optional<ExitCode> AllocationRun::start_once(const slurm::Job& job) {
  const std::vector<std::string> nodes = parts_.slurm.nodes_left(job);
  if (nodes.empty()) throw common::SystemError(fmt::format("no node of job {} can be used now", parts_.job));
  std::optional<double> left_s = job.left_s;
  if (left_s) *left_s = std::max(1.0, *left_s - parts_.policy.end_margin_s);
  say(fmt::format("job {} on {}{}", parts_.job, fmt::join(nodes, ", "),
                  left_s ? fmt::format(", {:.0f} s left", *left_s) : ", without a time limit"));
  const std::filesystem::path verdict = parts_.study.verdict(parts_.job);
  try {
    common::replace_file(verdict, "under way");
  } catch (const common::SystemError& error) {
    if (!common::is_disk_refusal(error.what())) throw;
    say(fmt::format("{}. Make room and submit again: what was finished is not run again", error.what()));
    return ExitCode::kError;
  }
  const JobEnd end = run_job(parts_.job_arguments(nodes, left_s), parts_.timing);
  stop_signal_ = end.stop_signal;
  const auto code = read_verdict(verdict);
  std::filesystem::remove(verdict);
  return code;
}

ExitCode AllocationRun::conclude(ExitCode code) {
  if (code == ExitCode::kNothingToDo) return ExitCode::kDone;  // or Slurm would call the job failed
  if (code != ExitCode::kIncomplete) return code;
  if (stop_signal_ && *stop_signal_ != SIGUSR2) {
    return stopped_on_request();
  }
  const bool preempted = parts_.slurm.is_being_preempted(parts_.job);
  if (preempted) say(fmt::format("job {} is being preempted", parts_.job));
  const bool started_nothing = num_attempts() == attempts_before_;
  if (started_nothing && !waited_for_other_ && !preempted) {
    say("no trial could start in this allocation, so it is not asked for again: the lines above say why; when the time "
        "was too short for a checkpoint, submit with a longer --time or a smaller checkpoint.every_steps");
    return ExitCode::kError;
  }
  return go_on_later();
}

ExitCode AllocationRun::stopped_on_request() {
  say("stopped on request; `orchestrator resume` goes on (after a preemption Slurm does so by itself)");
  return ExitCode::kIncomplete;
}

ExitCode AllocationRun::go_on_later() {
  if (!parts_.go_on) {
    say("not complete: start it again to go on");
    return ExitCode::kIncomplete;
  }
  // A cancellation may have come since the trainers were told of the time limit.
  if (await_stop(0) == SIGUSR1) return stopped_on_request();
  say(parts_.go_on());
  return ExitCode::kIncomplete;
}

std::size_t AllocationRun::num_attempts() const {
  if (!std::filesystem::exists(parts_.study.database())) return 0;
  return results::ResultsReader(parts_.study.database()).attempts().size();
}

}  // namespace ditscale::orchestrator
