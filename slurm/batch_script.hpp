#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ditscale::slurm {

/// What is asked of Slurm.
struct JobRequest {
  /// Letters, digits, '_', '-', '.'.
  std::string name;
  int num_nodes = 1;
  /// Absent: whole nodes (--exclusive, all their memory).
  std::optional<int> cpus_per_node;
  std::optional<int> gpus_per_node;
  /// Time limit in seconds; absent: the partition's.
  std::optional<double> limit_s;
  /// The script gets SIGUSR2 so long before the limit.
  int signal_before_end_s = 120;
  /// Further options of sbatch, as the user wrote them; they count more than those above.
  std::vector<std::string> sbatch_arguments;
  /// The folder the command runs in; absolute.
  std::filesystem::path folder;
  /// Folder of the job's log; absolute.
  std::filesystem::path log_folder;
  /// A shell file read before the command starts: modules, paths.
  std::optional<std::filesystem::path> source;
  /// What runs beside it, in a step of its own on the last node; empty: nothing.
  std::vector<std::string> guard;
  /// What runs, on the first node.
  std::vector<std::string> command;
};

/// The batch script. Every value is quoted: none is ever read as a command. Throws UsageError for a value that Slurm's
/// reader of #SBATCH lines cannot take.
[[nodiscard]] std::string render_batch_script(const JobRequest& request);

/// "1-02:03:04" as Slurm takes it; parts of a second are rounded up.
[[nodiscard]] std::string slurm_time(double seconds);

}  // namespace ditscale::slurm
