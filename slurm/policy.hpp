#pragma once

namespace ditscale::slurm {

/// Waits and limits in dealing with Slurm's commands. Time is in seconds.
struct Policy {
  /// A command that has not answered by then is ended; Slurm's own message time-out is 10 s, and it tries again itself.
  double command_limit_s = 60.0;
  /// Wait before a command that failed for a passing reason (controller away, submit limit) is tried again; doubles
  /// each time. Half a minute at first: a busy controller gets busier by questions.
  double retry_wait_s = 30.0;
  double max_retry_wait_s = 600.0;
  /// Questions (squeue, sacct) are given up sooner than orders: someone waits for the answer.
  int query_attempts = 3;
  double query_wait_s = 2.0;
  /// Slurm signals the batch script this long before the time limit (it may come up to a minute early).
  int signal_before_end_s = 120;
  /// The study must be over this long before the job's end, so that what comes after has time to run.
  double end_margin_s = 15.0;
  /// Starts of the MPI job inside one allocation without a coordinator that came to an end of its own, and the wait
  /// before each: a node that died is not known to Slurm for some minutes (SlurmdTimeout, 300 s by default).
  int max_restarts = 8;
  double restart_wait_s = 5.0;
  double max_restart_wait_s = 120.0;
  /// How often the guard of a job on several nodes asks whether the first of them is still there. Slurm itself takes
  /// minutes to miss it.
  double guard_look_s = 60.0;
  /// How often it is looked whether the run of an earlier allocation has let go of the study.
  double lock_look_s = 5.0;
};

}  // namespace ditscale::slurm
