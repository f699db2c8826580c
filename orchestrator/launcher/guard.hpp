#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/exit_code.hpp"
#include "slurm/slurm.hpp"

namespace ditscale::orchestrator {

/// A job's guard: a process in a step of its own on the job's last node, for what the batch script on the first node
/// cannot see.
///
/// Preemption: Slurm tells steps at the start of the grace time and the script at its end. The guard, told by SIGTERM,
/// tells the script, as if the time limit were near.
///
/// Loss of the first node: --no-kill leaves the job the other nodes, with nothing in it that would use them. The guard
/// lets the study go on in another allocation.
class Guard {
 public:
  struct Parts {
    std::string job;
    /// Lets the study go on in another allocation, and says which.
    std::function<std::string()> go_on;
    slurm::Policy policy;
    slurm::Slurm slurm;
  };
  explicit Guard(Parts parts) : parts_(std::move(parts)) {}

  /// To the end of the job, or until there is nothing left to guard. Holds stop signals.
  [[nodiscard]] common::ExitCode run();

 private:
  void end_with_step() const;
  [[nodiscard]] std::optional<slurm::Job> job_without_script() const;

  Parts parts_;
};

}  // namespace ditscale::orchestrator
