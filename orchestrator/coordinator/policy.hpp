#pragma once

#include <cstddef>

namespace ditscale::orchestrator {

/// Every limit on a trial's life. Time is in seconds.
struct Policy {
  /// Further attempts after failures of the trial's own. Two: one for bad luck, one to be sure that it was not.
  int retries = 2;
  /// Wait before the first retry; doubles with each further one. Gives a device time to come to rest.
  double retry_wait_s = 1.0;
  double max_retry_wait_s = 60.0;
  /// So many trainers in a row that failed on one node before they had begun may be the node's fault: then nothing
  /// starts there for a while, which doubles with each further one. (A node without the worker's libraries, or with a
  /// GPU that is lost, would else take one trial after the other from all that work.) It ends when a trainer begins
  /// there. The last node that could take the trial never rests.
  int max_false_starts = 2;
  double rest_s = 10.0;
  double max_rest_s = 600.0;
  /// Losses and preemptions in a row that brought no new checkpoint, after which the trial counts as failed: a trial
  /// that cannot reach a checkpoint would otherwise be started for ever.
  int max_losses_without_progress = 20;
  /// Time a trainer has to save after it was asked to stop, before it is killed. A checkpoint takes seconds; an
  /// evaluation step that cannot be interrupted takes longer.
  double stop_wait_s = 120.0;
  /// Smaller trials that may start ahead of a larger one that does not fit; then a node is kept free for it.
  int max_overtakes = 16;
  /// Trainers are stopped this long before the time limit (time to save), but never more than a quarter of the limit.
  double stop_margin_s = 30.0;
  double stop_margin_share = 0.25;
  /// Start-up of a trainer before its first step, when judging whether it can reach a checkpoint in time.
  double start_up_s = 3.0;

  /// Of looking for a better order of the queue (improve_order). Above so many queued trials it is not looked for: one
  /// try takes some 3 us for each, and the order shows less the more there are. No tries: the order never changes.
  std::size_t max_queued_for_order = 500;
  /// A look may place so many trials (60 ms or so), and ends after so many tries, or so many in a row without gain.
  std::size_t max_order_placements = 20'000;
  std::size_t max_order_tries = 80;
  std::size_t max_order_tries_in_vain = 30;
};

/// Waits and limits of the processes around the decisions. Time is in seconds.
struct Timing {
  /// Sleeps between looks for messages of other hosts: short after news, longer while nothing happens. Who is
  /// on the same host rings.
  double shortest_sleep_s = 0.005;
  double longest_sleep_s = 0.05;
  double sleep_growth = 4.0;
  /// An agent reads its trainers' pipes at most so often, and passes on what it read at most so often, unless a trainer
  /// ends: each look and each message costs more than an event. A pipe holds some 300 events.
  double read_s = 0.02;
  double forward_s = 0.2;
  /// Events that call for nothing else are recorded together at most so often.
  double record_s = 0.2;
  /// A trainer that sends no event for this long is taken to hang. Metrics come every few seconds, but scoring a large
  /// model may take many minutes without a word.
  double silence_s = 1800.0;
  /// An agent that has not looked for longer, or a coordinator that slept for so much too long, stood still, and those
  /// around it too: the time does not count. Far above any sleep.
  double standstill_s = 5.0;
  /// Time for all agents to report after the start of the MPI job.
  double join_wait_s = 60.0;
  /// The live view is drawn four times a second; the estimate of the end costs more and changes slowly.
  double redraw_s = 0.25;
  double estimate_s = 2.0;
  /// Into a file or a pipe, one line of progress in this time.
  double plain_progress_s = 30.0;
  /// What the launcher grants the MPI job to end after a second Ctrl-C, before it kills it.
  double kill_wait_s = 5.0;
  /// What the launcher grants trainers without an agent to save and end, before it kills them.
  double orphan_wait_s = 60.0;
};

/// Lines of a trainer's log that are quoted when it dies without a word.
inline constexpr int kQuotedLogLines = 8;

}  // namespace ditscale::orchestrator
