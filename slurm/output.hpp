#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "slurm/job.hpp"

namespace ditscale::slurm {

/// Formats that squeue and sacct are asked for, and the readers of what they answer. Lines that are none of these
/// (warnings, banners) are left out; a state that is not known is kept by its name.
inline constexpr const char* kSqueueFormat = "%i|%T|%L|%S|%D|%N|%r|%B";
inline constexpr const char* kSacctFormat = "JobID,State,NNodes,NodeList,Reason";

[[nodiscard]] std::vector<Job> parse_squeue(const std::string& text);
/// Steps ("12.batch") are left out; of a requeued job the last line counts.
[[nodiscard]] std::vector<Job> parse_sacct(const std::string& text);

/// The value of KEY=VALUE in what `scontrol show` prints; empty when it is not there or says that there is none.
[[nodiscard]] std::string scontrol_value(const std::string& text, const std::string& key);

/// The job's number out of `sbatch --parsable`: "1234" or "1234;cluster", perhaps after other lines. Empty when there
/// is none.
[[nodiscard]] std::optional<std::string> parse_sbatch(const std::string& text);

/// The reason out of "allocation failure: REASON", which `sbatch --test-only` prints; empty when there is none.
[[nodiscard]] std::optional<std::string> parse_allocation_failure(const std::string& text);

/// "1-02:03:04", "02:03:04", "03:04", "04" in seconds; empty for UNLIMITED, NOT_SET, INVALID and what is no time.
[[nodiscard]] std::optional<double> parse_time_s(const std::string& text);

/// True for "1234", "1234_5", "1234+1".
[[nodiscard]] bool is_job_id(const std::string& text);

/// Year and month of a release.
struct Version {
  int year = 0;
  int month = 0;
  auto operator<=>(const Version&) const = default;
};
/// From here on `srun --overlap` shares memory and GPUs too: with older ones the guard of a job would keep them.
inline constexpr Version kOldestVersion{22, 5};
/// "slurm 21.08.8" and "slurm-wlm 22.05.8", as --version prints it; empty for what is no version.
[[nodiscard]] std::optional<Version> parse_version(const std::string& text);

[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

}  // namespace ditscale::slurm
