#pragma once

#include <string>
#include <vector>

#include "slurm/command.hpp"
#include "tests/integration/orchestrator/study_fixture.hpp"

namespace ditscale::tests {

/// Studies submitted to a real Slurm of two nodes on this host (slurm/test_cluster.sh), started once for all tests.
/// Where that cannot run, every test is skipped with the reason.
class SlurmFixture : public StudyFixture {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  /// Calls slurm/test_cluster.sh.
  static slurm::CommandResult cluster(const std::vector<std::string>& arguments);
  /// `orchestrator` with these arguments and the study's --runs. Unlike `call` it leaves alone what it started.
  [[nodiscard]] slurm::CommandResult orchestrator(std::vector<std::string> arguments) const;
  /// `orchestrator submit` of the sweep, trained by the fake worker with so much time for a step; the job's number.
  std::string submit(int step_ms, const std::vector<std::string>& more = {});

  /// The newest of the study's jobs on record.
  [[nodiscard]] std::string last_job() const;
  /// Waits until squeue shows this state for the job.
  [[nodiscard]] static bool becomes(const std::string& job, const std::string& state, double seconds = 40);
  /// Waits until the job's log holds `text` at least `times`.
  [[nodiscard]] bool log_says(const std::string& job, const std::string& text, int times = 1,
                              double seconds = 40) const;
  [[nodiscard]] int num_in_log(const std::string& job, const std::string& text) const;
  /// The coordinator (rank 0) that runs in the cluster; -1 when there is none.
  [[nodiscard]] static pid_t coordinator();
  /// A job of a partition that preempts: it takes both nodes for a moment.
  void preempt() const;
  /// So many trials have written that they succeeded, each once; others may have ended in another way.
  void expect_each_succeeded_once(int number) const;
  /// How often trainers wrote this outcome, for each trial's folder.
  [[nodiscard]] std::map<std::string, int> outcomes(const std::string& state) const;
  [[nodiscard]] std::string log_of(const std::string& job) const;
};

}  // namespace ditscale::tests
