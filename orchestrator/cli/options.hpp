#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

#include "orchestrator/agent/inventory.hpp"
#include "orchestrator/coordinator/policy.hpp"

namespace ditscale::orchestrator {

/// What main reads from the process's surroundings.
struct Environment {
  /// This program's own file.
  std::filesystem::path program;
  /// Value of PATH.
  std::string path;
  /// At its start.
  pid_t parent = -1;
  /// Started by mpirun: this process is a rank.
  bool under_mpi = false;
  /// As rank 0, by what its launcher has set.
  bool expects_first_rank = false;
  bool is_root = false;
  /// The batch job this process is part of (SLURM_JOB_ID).
  std::optional<std::string> slurm_job;
  /// Slurm's name for this node (SLURMD_NODENAME).
  std::string node_name;
  /// Columns of the terminal on standard output; 0 when it is none.
  std::size_t terminal_columns = 0;
  std::optional<std::string> visible_gpus;
};

/// One of several parts of a sweep that run in allocations of their own.
struct Shard {
  /// From 1.
  int number = 1;
  int count = 1;
};

/// A sweep file and where its study lives.
struct SweepChoice {
  std::filesystem::path file;
  std::vector<std::string> assignments;
  std::filesystem::path runs = "runs";
  /// This part of the sweep only, as a study of its own.
  std::optional<Shard> shard;
};

/// Nodes that are only thought of.
struct ClusterDescription {
  std::optional<int> num_nodes;
  std::optional<int> cpus_per_node;
  std::optional<int> gpus_per_node;

  [[nodiscard]] bool is_given() const { return num_nodes || cpus_per_node || gpus_per_node; }
};

struct PlanOptions {
  SweepChoice sweep;
  DeviceLimits limits;
  /// Plan for these instead of this machine.
  ClusterDescription cluster;
  /// Of one device (a GPU of trials that use them, else a core), in whatever currency.
  std::optional<double> price_per_hour;
  /// Absent: this machine's GPU's, where nvidia-smi tells and `cluster` is not given.
  std::optional<std::uint64_t> gpu_memory_bytes;
  /// As CUDA gives it; absent: this machine's, as above.
  std::optional<std::string> gpu_name;
  /// Absent: this machine's, or unknown where `cluster` is given.
  std::optional<std::uint64_t> node_memory_bytes;
  /// Simulated runs with failing nodes.
  int num_failure_runs = 0;
  /// Draw the schedule below the text.
  bool gantt = false;
  /// Draw it into this SVG file.
  std::optional<std::filesystem::path> gantt_file;
  bool json = false;
};

struct RunOptions {
  SweepChoice sweep;
  DeviceLimits limits;
  Policy policy;
  Timing timing;
  /// Wall-clock limit in seconds.
  std::optional<double> limit_s;
  /// The program that trains; absent: `worker` beside this program.
  std::optional<std::filesystem::path> worker;
  bool json = false;
  bool dry_run = false;
  /// As an MPI job of two ranks though it is one machine.
  bool mpi = false;
  /// Run on all nodes of the Slurm job this is called in, to its end.
  bool allocation = false;
  /// The script by which the job goes on in another allocation; absent: it does not.
  std::optional<std::filesystem::path> batch_script;
  /// Set by the launcher for its ranks: seconds until the allocation ends, and where to write how it ended.
  std::optional<double> time_left_s;
  std::optional<std::filesystem::path> verdict;
  /// Set by the launcher for its ranks, or for the one process of a run on one machine.
  std::optional<pid_t> launcher;
  std::size_t live_columns = 0;
};

/// A study that exists.
struct StudyChoice {
  /// A sweep's name or file, a study's folder, or "last".
  std::string study = "last";
  std::filesystem::path runs = "runs";
};

struct StatusOptions {
  StudyChoice choice;
  bool json = false;
  /// Shows it again and again until the study has ended.
  bool watch = false;
};

struct SubmitOptions {
  SweepChoice sweep;
  int num_nodes = 1;
  std::optional<int> cpus_per_node;
  std::optional<int> gpus_per_node;
  std::optional<double> limit_s;
  /// Trainers are told to save this long before the time limit.
  int save_before_end_s = 120;
  int num_shards = 1;
  std::optional<std::filesystem::path> source;
  std::optional<std::filesystem::path> worker;
  int retries = Policy().retries;
  double silence_s = Timing().silence_s;
  /// What stood after "--".
  std::vector<std::string> sbatch_arguments;
  bool json = false;
  bool dry_run = false;
};

/// Set by the batch script.
struct GuardOptions {
  /// A study's folder.
  std::filesystem::path study;
};

struct CancelOptions {
  StudyChoice choice;
  /// Trials by the start of their id; none: the study's jobs.
  std::vector<std::string> trials;
  /// Without saving.
  bool at_once = false;
  bool dry_run = false;
};

struct ResumeOptions {
  StudyChoice choice;
  bool dry_run = false;
};

struct RetryOptions {
  StudyChoice choice;
  /// Trials by the start of their id; none: all that failed, diverged or were cancelled.
  std::vector<std::string> trials;
  bool dry_run = false;
};

struct LogsOptions {
  StudyChoice choice;
  /// The start of a trial's id; absent: the newest job's log, else the coordinator's.
  std::optional<std::string> trial;
  /// Absent: the newest.
  std::optional<int> attempt;
  /// Last lines to show; 0: all.
  int num_lines = 100;
};

struct ExplainOptions {
  StudyChoice choice;
  bool json = false;
};

struct DoctorOptions {
  std::filesystem::path runs = "runs";
  std::optional<std::filesystem::path> worker;
  bool json = false;
};

using Options = std::variant<PlanOptions, RunOptions, StatusOptions, SubmitOptions, GuardOptions, CancelOptions,
                             ResumeOptions, RetryOptions, LogsOptions, ExplainOptions, DoctorOptions>;

}  // namespace ditscale::orchestrator
