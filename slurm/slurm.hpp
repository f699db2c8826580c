#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "slurm/command.hpp"
#include "slurm/job.hpp"
#include "slurm/policy.hpp"

namespace ditscale::slurm {

/// Why a command of Slurm failed, as far as that decides what to do next.
enum class Trouble {
  /// Passing: the controller is away or busy, or a submit limit is reached. The order was not carried out.
  kLater,
  /// Passing, but the order may have been carried out: the answer was lost.
  kAnswerLost,
  /// The same order will fail again.
  kFinal,
};
[[nodiscard]] Trouble trouble_of(const CommandResult& result);
/// A rule of the account or the QOS stands against the job: sbatch takes none like it, and the nodes are not the
/// reason.
[[nodiscard]] bool is_refusal_by_policy(const CommandResult& result);

/// Slurm by its commands: submit, query, cancel, and what a job does about itself. Errors are SystemError with the
/// command, its answer and what to do.
class Slurm {
 public:
  using Sleep = std::function<void(double)>;
  using Notice = std::function<void(const std::string&)>;

  /// `sleep` waits (tests: does not); `notice` is told why it waits.
  Slurm(const Policy& policy, Sleep sleep, Notice notice);
  /// Sleeps for real.
  explicit Slurm(Notice notice);

  /// Submits a batch script and returns the job's id. Waits and tries again, for as long as it takes, while Slurm says
  /// that it cannot take the job now. `comment` is unique to this submission: when an answer was lost, the job is
  /// looked for by it instead of being submitted twice.
  [[nodiscard]] std::string submit(const std::filesystem::path& script, const std::string& comment) const;

  /// Why Slurm could not start this batch script on the nodes as they are now, in its own words ("Requested node
  /// configuration is not available"): it takes such a job all the same, and lets it wait. Empty when nothing is in the
  /// way but other jobs, or Slurm does not say.
  [[nodiscard]] std::optional<std::string> obstacle_to(const std::filesystem::path& script) const;

  /// The jobs of these ids that Slurm still knows, by one squeue for all; those it has forgotten are asked of sacct,
  /// where there is accounting. An id that nobody knows is left out.
  [[nodiscard]] std::vector<Job> query(const std::vector<std::string>& ids) const;

  /// True in the grace time of a preemption: Slurm has told the job's steps, but not yet its batch script, that it must
  /// make room. False also when Slurm does not say.
  [[nodiscard]] bool is_being_preempted(const std::string& id) const;

  /// True when Slurm has taken the node of its batch script out of the running job, to which --no-kill leaves the
  /// others: nothing in it is left that would end it or go on. False also when Slurm does not say.
  [[nodiscard]] bool has_lost_its_script(const Job& job) const;

  /// Asks a running job to save and end (SIGUSR1 to its script) and takes a queued one out of the queue; `at_once`:
  /// ends it as scancel does.
  void cancel(const Job& job, bool at_once) const;

  /// Sends the batch script of a running job what its time limit sends it (SIGUSR2).
  void signal_time_limit(const std::string& id) const;

  /// Puts the running job of this id back into the queue; false when this cluster does not allow it.
  [[nodiscard]] bool requeue(const std::string& id) const;

  /// Nodes that job `id` still has and that answer, by name.
  [[nodiscard]] std::vector<std::string> nodes_left(const Job& job) const;

 private:
  using Runner = CommandResult (&)(const std::vector<std::string>&, double);
  [[nodiscard]] CommandResult run(const std::vector<std::string>& argv, Runner runner = run_command) const;
  /// sbatch with the script's own options on the command line, where they count more than variables (SBATCH_TIMELIMIT),
  /// then `options`.
  [[nodiscard]] CommandResult sbatch(const std::filesystem::path& script,
                                     const std::vector<std::string>& options) const;
  [[nodiscard]] CommandResult ask(const std::vector<std::string>& argv) const;
  /// Standard output; empty when the command failed or is not there.
  [[nodiscard]] std::string answer_if_there_is_one(const std::vector<std::string>& argv) const;
  [[nodiscard]] std::optional<std::string> find_by_comment(const std::string& comment) const;

  Policy policy_;
  Sleep sleep_;
  Notice notice_;
};

}  // namespace ditscale::slurm
