#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/exit_code.hpp"
#include "common/trial_paths.hpp"
#include "orchestrator/coordinator/policy.hpp"
#include "slurm/slurm.hpp"

namespace ditscale::orchestrator {

/// A study on all nodes of a Slurm job, from the batch script's side: starts the MPI job, starts it again on the nodes
/// that are left when it was cut short, and sends the study back into the queue when the time is over.
class AllocationRun {
 public:
  /// The command line of the MPI job on these nodes with so many seconds left; its coordinator writes its verdict.
  using JobArguments =
      std::function<std::vector<std::string>(const std::vector<std::string>& nodes, std::optional<double> left_s)>;
  struct Parts {
    std::string job;
    /// Slurm's name for this node; empty when this is no batch script.
    std::string node;
    common::StudyPaths study;
    /// Lets the study go on in another allocation, and says which; absent: it does not by itself.
    std::function<std::string()> go_on;
    JobArguments job_arguments;
    Timing timing;
    slurm::Policy policy;
    slurm::Slurm slurm;
  };
  explicit AllocationRun(Parts parts) : parts_(std::move(parts)) {}

  /// To the end of the study or of the allocation. Stop signals must be held (hold_stop_signals). SIGUSR2, the time
  /// limit's, or a preemption in its grace time: the trainers save, and the job is requeued, or submitted anew where
  /// requeuing is not allowed. Any other: the trainers save, and nothing follows: Slurm itself requeues what it
  /// preempts.
  [[nodiscard]] common::ExitCode run();

 private:
  [[nodiscard]] bool wait_for_other_run();
  [[nodiscard]] slurm::Job look_up() const;
  /// True when Slurm has given the job's place to another run of it, or has written this node off.
  [[nodiscard]] bool has_lost_job(const slurm::Job& job) const;
  [[nodiscard]] std::optional<common::ExitCode> start_once(const slurm::Job& job);
  [[nodiscard]] common::ExitCode conclude(common::ExitCode code);
  [[nodiscard]] static common::ExitCode stopped_on_request();
  [[nodiscard]] common::ExitCode go_on_later();
  [[nodiscard]] std::size_t num_attempts() const;

  Parts parts_;
  std::optional<int> stop_signal_;
  std::size_t attempts_before_ = 0;
  bool waited_for_other_ = false;
};

}  // namespace ditscale::orchestrator
