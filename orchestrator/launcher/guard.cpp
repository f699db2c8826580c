#include "orchestrator/launcher/guard.hpp"

#include <cstdio>

#include "common/error.hpp"
#include "orchestrator/launcher/launcher.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

namespace {

/// Into the job's log. Slurm writes to standard error that it ends the step, which is no news.
void say(const std::string& text) {
  std::printf("orchestrator: %s\n", text.c_str());
  std::fflush(stdout);
}

}  // namespace

ExitCode Guard::run() {
  hold_stop_signals();
  for (;;) {
    const bool step_ends = await_stop(parts_.policy.guard_look_s).has_value();
    try {
      if (step_ends) {
        end_with_step();
        return ExitCode::kDone;
      }
      if (!job_without_script()) continue;
      say(fmt::format("job {} has lost its first node", parts_.job));
      say(parts_.go_on());
      // One that was not requeued would hold its nodes to the end.
      if (const auto left = job_without_script()) parts_.slurm.cancel(*left, true);
      return ExitCode::kDone;
    } catch (const common::SystemError& error) {
      say(error.what());  // Slurm did not answer; it may do so in a while
      if (step_ends) return ExitCode::kError;
    }
  }
}

void Guard::end_with_step() const {
  if (parts_.slurm.is_being_preempted(parts_.job)) parts_.slurm.signal_time_limit(parts_.job);
}

std::optional<slurm::Job> Guard::job_without_script() const {
  const std::vector<slurm::Job> jobs = parts_.slurm.query({parts_.job});
  if (jobs.empty() || !parts_.slurm.has_lost_its_script(jobs.front())) return std::nullopt;
  return jobs.front();
}

}  // namespace ditscale::orchestrator
