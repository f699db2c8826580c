#pragma once

#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "common/trial_paths.hpp"
#include "slurm/slurm.hpp"

namespace ditscale::orchestrator {

/// Jobs of the batch system that were submitted for a study or ran it, oldest first. Empty when there is no list;
/// throws ConfigError when the list is damaged.
[[nodiscard]] std::vector<std::string> recorded_jobs(const common::StudyPaths& study);

/// Adds a job to the list, unless it is there.
void record_job(const common::StudyPaths& study, const std::string& id);

/// Submits the study's batch script and records the job.
[[nodiscard]] std::string submit_script(const common::StudyPaths& study, const slurm::Slurm& slurm);

/// Lets the study of a running job go on in another allocation: puts the job back into the queue or, where that is not
/// allowed, submits the batch script anew. Returns what was done, for people. Throws SystemError when Slurm refuses
/// both.
[[nodiscard]] std::string go_on_elsewhere(const common::StudyPaths& study, const slurm::Slurm& slurm,
                                          const std::string& job);

/// Those of the recorded jobs that wait or run now. No command is called when there are none on record.
[[nodiscard]] std::vector<slurm::Job> living_jobs(const common::StudyPaths& study, const slurm::Slurm& slurm);

/// "job 12 waits (Priority): others stand before it…", one line.
[[nodiscard]] std::string job_text(const slurm::Job& job);
[[nodiscard]] common::Json job_json(const slurm::Job& job);

}  // namespace ditscale::orchestrator
