#include "orchestrator/cli/job_records.hpp"

#include <algorithm>

#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "orchestrator/view/text.hpp"
#include "slurm/output.hpp"

namespace ditscale::orchestrator {

using common::Json;
using slurm::JobPhase;

std::vector<std::string> recorded_jobs(const common::StudyPaths& study) {
  if (!std::filesystem::exists(study.jobs_json())) return {};
  const common::JsonDocument document = common::read_json(study.jobs_json());
  const auto damaged = [&] {
    return common::ConfigError(
        fmt::format("{}: not a list of jobs; remove it (running jobs go on)", study.jobs_json().string()));
  };
  if (!document.value.is_array()) throw damaged();
  std::vector<std::string> ids;
  for (const Json& id : document.value) {
    if (!id.is_string() || !slurm::is_job_id(id.get<std::string>())) throw damaged();
    ids.push_back(id.get<std::string>());
  }
  return ids;
}

void record_job(const common::StudyPaths& study, const std::string& id) {
  std::vector<std::string> ids = recorded_jobs(study);
  if (std::find(ids.begin(), ids.end(), id) != ids.end()) return;
  ids.push_back(id);
  common::make_folder(study.slurm());
  common::write_file_atomically(study.jobs_json(), Json(ids).dump() + "\n");
}

std::string submit_script(const common::StudyPaths& study, const slurm::Slurm& slurm) {
  const common::SystemClock clock;
  const std::string comment = fmt::format("ditscale:{}:{:.6f}", ::getpid(), clock.unix_s());
  std::string id = slurm.submit(study.job_script(), comment);
  record_job(study, id);
  return id;
}

std::string go_on_elsewhere(const common::StudyPaths& study, const slurm::Slurm& slurm, const std::string& job) {
  if (slurm.requeue(job)) return fmt::format("job {} is back in the queue and goes on from its checkpoints", job);
  // The batch script and the guard may both have seen that the job cannot go on.
  for (const slurm::Job& other : living_jobs(study, slurm)) {
    if (other.id != job) return fmt::format("job {} goes on instead", other.id);
  }
  return fmt::format("requeuing is not allowed here; job {} goes on instead", submit_script(study, slurm));
}

std::vector<slurm::Job> living_jobs(const common::StudyPaths& study, const slurm::Slurm& slurm) {
  // Old jobs only make the question longer: Slurm forgets them, and at most the newest few can be alive.
  constexpr std::ptrdiff_t kNewest = 20;
  std::vector<std::string> ids = recorded_jobs(study);
  ids.erase(ids.begin(), ids.end() - std::min(kNewest, std::ssize(ids)));
  std::vector<slurm::Job> jobs = slurm.query(ids);
  std::erase_if(jobs, [](const slurm::Job& job) { return job.phase == JobPhase::kEnded; });
  return jobs;
}

std::string job_text(const slurm::Job& job) {
  if (job.phase == JobPhase::kActive) {
    return fmt::format("job {} is {} on {}{}", job.id, job.state, job.nodes,
                       job.left_s ? ", " + duration_text(*job.left_s) + " left" : std::string());
  }
  std::string text = fmt::format("job {} is {}", job.id, job.state);
  if (!job.reason.empty()) text += fmt::format(" ({}: {})", job.reason, slurm::reason_text(job.reason));
  if (!job.start.empty()) text += fmt::format("; Slurm expects it to start at {}", job.start);
  return text;
}

Json job_json(const slurm::Job& job) {
  return {{"id", job.id},
          {"state", job.state},
          {"reason", job.reason},
          {"start", job.start.empty() ? Json() : Json(job.start)},
          {"left_s", job.left_s ? Json(*job.left_s) : Json()},
          {"nodes", job.nodes}};
}

}  // namespace ditscale::orchestrator
