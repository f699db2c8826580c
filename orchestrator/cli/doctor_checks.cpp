#include "orchestrator/cli/doctor_checks.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "orchestrator/agent/inventory.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "orchestrator/mpi/launch_arguments.hpp"
#include "orchestrator/view/text.hpp"
#include "results/storage/filesystem.hpp"
#include "slurm/command.hpp"
#include "slurm/output.hpp"

namespace ditscale::orchestrator {

namespace fs = std::filesystem;
using Kind = Finding::Kind;

namespace {

constexpr double kCommandLimit_s = 30;

Finding look_at_slurm(const std::string& path) {
  if (find_program("sbatch", path).empty()) {
    return {"Slurm", Kind::kNote, "sbatch is not on PATH: `run` works, `submit` does not",
            "on a cluster, run this on a login node; load the slurm module where there is one"};
  }
  const std::vector<std::string> argv{"sinfo", "--noheader", "--format=%P %D nodes, %l"};
  const slurm::CommandResult result = slurm::run_command(argv, kCommandLimit_s);
  if (result.err.find("configuration source") != std::string::npos) {
    return {"Slurm", Kind::kNote,
            "its commands are installed, but belong to no cluster: `run` works, `submit` does not",
            "on a cluster, run this on a login node; SLURM_CONF names a configuration that stands elsewhere"};
  }
  if (result.code != 0) {
    return {"Slurm", Kind::kBad, slurm::describe(argv, result),
            "the controller must answer here: ask the cluster's staff"};
  }
  const auto version = slurm::parse_version(slurm::run_command({"sinfo", "--version"}, kCommandLimit_s).out);
  if (version && *version < slurm::kOldestVersion) {
    return {
        "Slurm", Kind::kBad,
        fmt::format("version {}.{:02} is too old: steps of one job do not share its memory and GPUs, so `submit` does "
                    "not work on several nodes",
                    version->year, version->month),
        fmt::format("Slurm {}.{:02} or newer is needed", slurm::kOldestVersion.year, slurm::kOldestVersion.month)};
  }
  std::string partitions;
  for (const std::string& line : slurm::lines_of(result.out)) partitions += (partitions.empty() ? "" : "; ") + line;
  return {"Slurm", Kind::kGood, partitions, ""};
}

Finding look_at_worker(const fs::path& worker) {
  if (!is_program(worker)) {
    return {"worker", Kind::kBad, worker.string() + " cannot be executed",
            "build it (`make`), or name it with --worker"};
  }
  const std::vector<std::string> argv{worker.string(), "devices"};
  slurm::CommandResult result;
  try {
    result = slurm::run_command(argv, kCommandLimit_s);
  } catch (const common::SystemError& error) {
    return {"worker", Kind::kBad, error.what(), "it must be a program for this machine"};
  }
  if (result.code != 0) {
    return {"worker", Kind::kBad, slurm::describe(argv, result),
            "LibTorch must be where it was at the build, on every node: a folder that all nodes share"};
  }
  if (result.out.find("built without CUDA") != std::string::npos) {
    return {"worker", Kind::kNote, worker.string() + " starts, with LibTorch, and was built without CUDA",
            "for trials on GPUs load a CUDA toolkit, configure with -DDITSCALE_CUDA=ON and build again"};
  }
  return {"worker", Kind::kGood, worker.string() + " starts, with LibTorch", ""};
}

Finding look_at_devices() {
  const AgentReport here = local_report({});
  return {"devices", Kind::kGood, fmt::format("{}: {}", here.host, here.devices.text()), ""};
}

/// The folder itself, or the nearest above it that exists.
fs::path existing(const fs::path& folder) {
  fs::path there = fs::absolute(folder);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  return there;
}

Finding look_at_locks(const fs::path& folder) {
  const fs::path file = folder / fmt::format(".ditscale-doctor-{}", ::getpid());
  try {
    common::write_file_atomically(file, "x");
    const bool held = common::FileLock::try_acquire(file).has_value();
    fs::remove(file);
    if (!held) throw common::SystemError("the lock was refused");
  } catch (const common::SystemError& error) {
    std::error_code gone;
    fs::remove(file, gone);
    return {"file locks", Kind::kBad, error.what(),
            "choose another folder with --runs; on Lustre the mount option is -o flock"};
  }
  return {"file locks", Kind::kGood, "files in " + folder.string() + " can be written and locked", ""};
}

Finding look_at_filesystem(const fs::path& folder) {
  if (!results::on_network_filesystem(folder)) {
    return {"file system", Kind::kGood, folder.string() + " is local: the database runs in WAL mode",
            "all nodes of a job must see this folder: with more than one node it must be a shared one"};
  }
  return {"file system", Kind::kNote,
          folder.string() + " is shared: the database does without WAL there, some ms a commit",
          "nothing need be done: commits are gathered"};
}

Finding look_at_space(const fs::path& folder) {
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) != 0)
    return {"disk", Kind::kBad, "free space of " + folder.string() + " is unknown", ""};
  const double free_bytes = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  constexpr double kLittle_bytes = 10e9;
  if (free_bytes < kLittle_bytes) {
    return {"disk", Kind::kNote, bytes_text(free_bytes) + " free", "`orchestrator plan` says what a sweep needs"};
  }
  return {"disk", Kind::kGood, bytes_text(free_bytes) + " free", ""};
}

Finding look_at_limits() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  rlimit processes{};
  ::getrlimit(RLIMIT_NPROC, &processes);
  constexpr rlim_t kFewFiles = 1024;
  constexpr rlim_t kFewProcesses = 1024;
  if (files.rlim_cur < kFewFiles || processes.rlim_cur < kFewProcesses) {
    return {
        "limits", Kind::kBad, fmt::format("{} open files, {} processes", files.rlim_cur, processes.rlim_cur),
        "raise them (ulimit -n 4096; ulimit -u 4096): an agent needs 3 files a trainer, a trainer a hundred threads"};
  }
  return {"limits", Kind::kGood, "open files and processes suffice", ""};
}

}  // namespace

Finding look_at_mpi(const std::string& path) {
  const std::string mpirun = find_program("mpirun", path);
  if (mpirun.empty()) {
    const bool on_cluster = !find_program("sbatch", path).empty();
    return {
        "MPI", on_cluster ? Kind::kBad : Kind::kNote,
        "mpirun is not on PATH: `run` works on one machine; jobs of a cluster and trials of several processes do not",
        "load your cluster's MPI module, or install Open MPI (Debian: apt-get install openmpi-bin)"};
  }
  std::vector<std::string> argv{"env"};
  for (const auto& [name, value] : root_permissions()) argv.push_back(name + "=" + value);
  argv.push_back(mpirun);
  for (std::string& argument : launch_arguments(2)) argv.push_back(std::move(argument));
  argv.emplace_back("true");
  const slurm::CommandResult result = slurm::run_command(argv, kCommandLimit_s);
  if (result.code != 0) {
    return {
        "MPI", Kind::kBad,
        "two ranks on this host could not be started, as jobs of a cluster and trials of several processes need: " +
            slurm::describe({mpirun}, result),
        "the mpirun on PATH must be of the MPI that orchestrator was built with (ldd orchestrator | grep mpi), and no "
        "variables may be left over from another job (env | grep -E '^(SLURM|OMPI|PMIX|PBS)_')"};
  }
  return {"MPI", Kind::kGood, mpirun + " starts ranks here, for jobs of a cluster and trials of several processes", ""};
}

std::vector<Finding> examine(const fs::path& runs, const fs::path& worker, const std::string& path) {
  const fs::path folder = existing(runs);
  return {look_at_mpi(path),          look_at_slurm(path),   look_at_worker(worker), look_at_devices(),
          look_at_filesystem(folder), look_at_locks(folder), look_at_space(folder),  look_at_limits()};
}

}  // namespace ditscale::orchestrator
