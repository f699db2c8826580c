#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ditscale::slurm {

/// What a job's state means to us. Slurm has more states, and new ones come: those are kUnknown, and their name is
/// kept.
enum class JobPhase {
  /// Waits to start (also: requeued, held, suspended before its start).
  kQueued,
  /// Has its nodes (also: starting up, ending, suspended).
  kActive,
  /// Will not run again by itself.
  kEnded,
  kUnknown,
};

/// A job as squeue or sacct shows it.
struct Job {
  /// "1234"; "1234_5" in an array.
  std::string id;
  /// Slurm's own word: RUNNING, NODE_FAIL, …
  std::string state;
  JobPhase phase = JobPhase::kUnknown;
  /// Why it waits: "Priority", "QOSMaxJobsPerUserLimit", …; empty when there is none.
  std::string reason;
  /// Seconds until its time limit; empty when unlimited or unknown.
  std::optional<double> left_s;
  /// When Slurm expects it to start, or when it started (local time, ISO); empty when it cannot say.
  std::string start;
  int num_nodes = 0;
  /// "node[01-04]"; empty while it waits.
  std::string nodes;
  /// The node of its batch script; empty while it waits, and when sacct was asked.
  std::string batch_host;
};

[[nodiscard]] JobPhase phase_of(std::string_view state);

/// Whether its batch script can hear a signal: not while it waits, nor while its nodes are made ready for it.
[[nodiscard]] bool hears_signals(const Job& job);

/// What a reason for waiting means and what can be done; for reasons that are not known here, how to find out.
[[nodiscard]] std::string reason_text(std::string_view reason);

}  // namespace ditscale::slurm
