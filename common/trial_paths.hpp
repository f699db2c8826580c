#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/ids.hpp"
#include "common/text.hpp"

namespace ditscale::common {

/// The step k of a file "step-<k><ending>"; empty for other names.
[[nodiscard]] inline std::optional<std::int64_t> step_of(const std::filesystem::path& file, std::string_view ending) {
  constexpr std::string_view kStart = "step-";
  const std::string name = file.filename().string();
  if (!name.starts_with(kStart) || !name.ends_with(ending) || name.size() < kStart.size() + ending.size()) return {};
  return number_from<std::int64_t>(
      std::string_view(name).substr(kStart.size(), name.size() - kStart.size() - ending.size()));
}

/// Every path inside one trial's folder, `runs/<sweep>/trials/<id>/`.
struct TrialPaths {
  std::filesystem::path folder;

  [[nodiscard]] std::filesystem::path trial_json() const { return folder / "trial.json"; }
  /// Held (flock) by the trainer while it works in this folder.
  [[nodiscard]] std::filesystem::path lock() const { return folder / "trainer.lock"; }
  [[nodiscard]] std::filesystem::path attempts() const { return folder / "attempts"; }
  [[nodiscard]] std::filesystem::path attempt(AttemptNumber n) const { return attempts() / std::to_string(to_int(n)); }
  [[nodiscard]] std::filesystem::path log(AttemptNumber n) const { return attempt(n) / "log.txt"; }
  [[nodiscard]] std::filesystem::path events(AttemptNumber n) const { return attempt(n) / "events.jsonl"; }
  [[nodiscard]] std::filesystem::path checkpoints() const { return folder / "checkpoints"; }
  [[nodiscard]] std::filesystem::path checkpoint(std::int64_t step) const {
    return checkpoints() / ("step-" + std::to_string(step) + ".h5");
  }
  [[nodiscard]] std::filesystem::path manifest(std::int64_t step) const {
    return checkpoints() / ("step-" + std::to_string(step) + ".manifest.json");
  }
  /// Snapshots of the post-hoc EMA.
  [[nodiscard]] std::filesystem::path ema() const { return folder / "ema"; }
  [[nodiscard]] std::filesystem::path ema_snapshot(std::int64_t step) const {
    return ema() / ("step-" + std::to_string(step) + ".h5");
  }
  [[nodiscard]] std::filesystem::path samples() const { return folder / "samples"; }
  [[nodiscard]] std::filesystem::path sample_grid(std::int64_t step) const {
    return samples() / ("step-" + std::to_string(step) + ".png");
  }
  [[nodiscard]] std::filesystem::path evaluations() const { return folder / "evaluations"; }
};

/// Every path inside one study's folder, `runs/<sweep>/`.
struct StudyPaths {
  std::filesystem::path folder;

  [[nodiscard]] std::filesystem::path database() const { return folder / "results.db"; }
  /// The sweep as it was resolved at the last `run`, for people to read.
  [[nodiscard]] std::filesystem::path sweep_json() const { return folder / "sweep.json"; }
  /// Held (flock) by the coordinator: one study, one writer.
  [[nodiscard]] std::filesystem::path lock() const { return folder / "coordinator.lock"; }
  [[nodiscard]] std::filesystem::path log() const { return folder / "orchestrator.log"; }
  /// What the coordinator expects while it works, for `status`.
  [[nodiscard]] std::filesystem::path outlook() const { return folder / "outlook.json"; }
  /// What belongs to jobs of the batch system: scripts, logs, the list of jobs.
  [[nodiscard]] std::filesystem::path slurm() const { return folder / "slurm"; }
  [[nodiscard]] std::filesystem::path jobs_json() const { return slurm() / "jobs.json"; }
  [[nodiscard]] std::filesystem::path job_script() const { return slurm() / "job.sh"; }
  /// The sweep file as it was submitted.
  [[nodiscard]] std::filesystem::path submitted_sweep() const { return slurm() / "sweep.json"; }
  /// Empty; there once the job has begun, wherever its log goes.
  [[nodiscard]] std::filesystem::path job_mark(const std::string& job) const { return slurm() / ("begun-" + job); }
  [[nodiscard]] std::filesystem::path job_log(const std::string& job) const {
    return slurm() / ("job-" + job + ".log");
  }
  /// How the coordinator of a job ended, when it ended in order.
  [[nodiscard]] std::filesystem::path verdict(const std::string& job) const { return slurm() / ("verdict-" + job); }
  [[nodiscard]] std::filesystem::path trials() const { return folder / "trials"; }
  [[nodiscard]] TrialPaths trial(const TrialId& id) const { return {trials() / id.str()}; }
};

}  // namespace ditscale::common
