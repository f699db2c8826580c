#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "common/trial_paths.hpp"
#include "orchestrator/plan/plan.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// The study of a sweep below the folder of all studies.
[[nodiscard]] common::StudyPaths study_of(const std::filesystem::path& runs, const std::string& sweep_name);

/// The study that a person means: "last" (the one worked on last), a sweep's name, a sweep file, or a study's folder.
/// Throws UsageError that says what there is when nothing was run or submitted under that name; a study that waits in a
/// queue may have no database yet.
[[nodiscard]] common::StudyPaths find_study(const std::filesystem::path& runs, const std::string& choice);

/// The same when something has run in it. Throws UsageError when it only waits in a queue.
[[nodiscard]] common::StudyPaths find_started_study(const std::filesystem::path& runs, const std::string& choice);

/// Throws ConfigError when trials that have begun are cells of `sweep`, but under ids of their own: earlier versions
/// took some defaults that were written out for settings (docs/sweeps.md, "Identity"). They would be trained again, and
/// counted twice.
void refuse_other_ids(const common::StudyPaths& study, const sweeps::Sweep& sweep);

/// A line that says how many trials of the study are not in the sweep, as when two sweep files have one name; empty
/// when there are none.
[[nodiscard]] std::string foreign_trials_text(const common::StudyPaths& study, const sweeps::Sweep& sweep);

/// The sweep's cells at its last run; empty when that is not known.
[[nodiscard]] std::optional<std::set<common::TrialId>> cells_of(const common::StudyPaths& study);

/// True when every trial of the sweep has ended, as far as a run has read it: what was submitted since is left to do.
[[nodiscard]] bool is_finished(const common::StudyPaths& study);

/// True while a coordinator holds the study's lock.
[[nodiscard]] bool is_worked_on(const common::StudyPaths& study);

/// Speeds measured in a study, which others may work on meanwhile; where nothing is measured, or the database cannot be
/// read (standard error says why), assumed: by the roofline of GPUs of this name, or of made-up ones.
[[nodiscard]] SpeedOf speeds_of(const common::StudyPaths& study, const std::string& gpu_name = {});

}  // namespace ditscale::orchestrator
