#include "slurm/command.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include <fmt/ranges.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/child_process.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace ditscale::slurm {

namespace fs = std::filesystem;

namespace {

/// Answers of Slurm are kilobytes; megabytes are none.
constexpr std::size_t kLargestAnswer_bytes = std::size_t{64} << 20;
constexpr auto kLook = std::chrono::milliseconds(5);

/// A file of its own that is gone with this object.
class ScratchFile {
 public:
  ScratchFile() : path_((fs::temp_directory_path() / "ditscale-command-XXXXXX").string()) {
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) throw common::errno_error("create", path_);
    ::close(fd);
  }
  ~ScratchFile() { ::unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string text() const { return common::read_file(path_, kLargestAnswer_bytes); }

 private:
  std::string path_;
};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// What a command sees. Slurm's commands read options from variables of their own: what is asked here is asked in full.
common::SpawnOptions options_for(const std::vector<std::string>& argv) {
  common::SpawnOptions options;
  options.argv = argv;
  options.environment = {{"SLURM_TIME_FORMAT", "standard"}};
  options.removed_prefixes = {"SQUEUE_", "SINFO_", "SACCT_", "SCANCEL_"};
  return options;
}

CommandResult run(common::SpawnOptions options, double limit_s) {
  const ScratchFile out;
  const ScratchFile err;
  options.log = out.path();
  options.error_log = err.path();
  options.parent_death_signal = SIGKILL;
  const common::SystemClock clock;
  auto child = common::ChildProcess::spawn(options);
  const double end_s = clock.monotonic_s() + limit_s;
  CommandResult result;
  auto status = child.poll();
  for (; !status; status = child.poll()) {
    if (clock.monotonic_s() >= end_s) {
      result.timed_out = true;
      child.signal_group(SIGKILL);
    }
    std::this_thread::sleep_for(kLook);
  }
  constexpr int kSignalBase = 128;
  result.code = status->code ? *status->code : kSignalBase + status->signal.value_or(0);
  result.out = out.text();
  result.err = err.text();
  return result;
}

/// What salloc, srun and mpirun set for those they start. The user's own settings of MPI (OMPI_MCA_…) stay.
constexpr std::array kJobPrefixes{"SLURM_",         "SLURMD_",      "SRUN_CPUS_PER_TASK", "PMI_", "PMI2_", "PMIX_RANK",
                                  "PMIX_NAMESPACE", "PMIX_SERVER_", "OMPI_COMM_WORLD_"};
/// Of these, the ones that say which cluster is meant and who asks.
constexpr std::array kKept{"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"};

}  // namespace

CommandResult run_command(const std::vector<std::string>& argv, double limit_s) {
  return run(options_for(argv), limit_s);
}

CommandResult run_command_outside_job(const std::vector<std::string>& argv, double limit_s) {
  common::SpawnOptions options = options_for(argv);
  options.removed_prefixes.insert(options.removed_prefixes.end(), kJobPrefixes.begin(), kJobPrefixes.end());
  for (const char* name : kKept) {
    if (const char* value = std::getenv(name)) options.environment[name] = value;
  }
  return run(std::move(options), limit_s);
}

std::string describe(const std::vector<std::string>& argv, const CommandResult& result) {
  const std::string how = result.timed_out ? "no answer in time" : fmt::format("exit code {}", result.code);
  const std::string said = trimmed(result.err.empty() ? result.out : result.err);
  return fmt::format("{}: {}{}{}", fmt::join(argv, " "), how, said.empty() ? "" : ": ", said);
}

}  // namespace ditscale::slurm
