#include <cstdio>
#include <map>

#include "common/error.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/view/report.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;
using results::TrialState;

namespace {

std::string ended_text(const slurm::Job& job) {
  static const std::map<std::string, std::string> kMeanings{
      {"TIMEOUT", "its time limit came before it had saved and gone back into the queue: give --save-before more"},
      {"OUT_OF_MEMORY", "the node's memory ran out: ask for more (-- --mem=…), or lower the micro-batch"},
      {"NODE_FAIL", "its node failed, and this cluster did not requeue it"},
      {"PREEMPTED", "it was preempted, and this cluster did not requeue it"},
      {"CANCELLED", "somebody cancelled it"},
      {"FAILED", "it ended before every trial had succeeded: `orchestrator logs` shows why"},
  };
  const auto meaning = kMeanings.find(job.state);
  const std::string why = meaning == kMeanings.end() ? "" : ": " + meaning->second;
  return fmt::format("job {} ended as {}{}", job.id, job.state, why);
}

/// What the batch system has to do with it.
std::vector<std::string> about_jobs(const common::StudyPaths& study, bool& living) {
  std::vector<std::string> lines;
  const std::vector<std::string> ids = recorded_jobs(study);
  if (ids.empty()) return lines;
  try {
    const slurm::Slurm slurm([](const std::string&) {});
    const std::vector<slurm::Job> jobs = living_jobs(study, slurm);
    for (const slurm::Job& job : jobs) lines.push_back(job_text(job));
    living = !jobs.empty();
    if (living) return lines;
    for (const slurm::Job& job : slurm.query({ids.back()})) lines.push_back(ended_text(job));
    if (lines.empty()) lines.push_back(fmt::format("job {} is over; Slurm has forgotten how it ended", ids.back()));
  } catch (const common::SystemError& error) {
    lines.emplace_back(error.what());
  }
  return lines;
}

std::string why_waiting(const ReportRow& row, bool worked_on) {
  const std::string before = row.trial.reason.empty() ? "" : " (" + row.trial.reason + ")";
  switch (row.trial.state) {
    case TrialState::kPending:
      return (row.num_attempts == 0 ? "has not started; longer trials and larger ones go first" : "waits for a retry") +
             before;
    case TrialState::kPreempted:
    case TrialState::kLost:
      return "goes on from its newest checkpoint" + before;
    case TrialState::kRunning:
      return (worked_on ? "runs" : "its run ended under it; goes on from its newest checkpoint") + before;
    default:
      return "does not go on" + before;
  }
}

std::string next_step(const common::StudyPaths& study, bool worked_on, bool living) {
  if (worked_on)
    return "a run works on it: devices that get free take the longest trial that fits and can reach a checkpoint";
  if (living)
    return "when Slurm has started the job, the study goes on by itself; of a job that runs, `orchestrator logs` shows "
           "what it does";
  if (is_finished(study))
    return "every trial has ended; nothing will happen. `orchestrator retry` gives failed ones another attempt, and a "
           "sweep file with more trials can be run or submitted";
  return std::filesystem::exists(study.job_script()) ? "nothing works on it: `orchestrator resume` submits it again"
                                                     : "nothing works on it: `orchestrator run SWEEP.json` goes on";
}

}  // namespace

ExitCode explain_command(const ExplainOptions& options) {
  const common::StudyPaths study = find_study(options.choice.runs, options.choice.study);
  bool living = false;
  const std::vector<std::string> jobs = about_jobs(study, living);
  const bool started = std::filesystem::exists(study.database());
  const Report report = started ? read_report(study, cells_of(study)) : Report{};
  const bool worked_on = is_worked_on(study);
  common::Json trials = common::Json::array();
  for (const ReportRow& row : report.rows) {
    if (row.trial.state == TrialState::kSucceeded) continue;
    trials.push_back({{"id", row.trial.id.str()},
                      {"label", row.trial.label},
                      {"state", std::string(results::to_name(row.trial.state))},
                      {"why", why_waiting(row, worked_on)}});
  }
  const std::string next = next_step(study, worked_on, living);
  if (options.json) {
    const common::Json document{{"jobs", jobs}, {"trials", trials}, {"next", next}};
    std::fputs((document.dump(2) + "\n").c_str(), stdout);
    return ExitCode::kDone;
  }
  for (const std::string& line : jobs) std::printf("%s\n", line.c_str());
  for (const common::Json& trial : trials) {
    std::printf("%s %s is %s: %s\n", trial["id"].get<std::string>().substr(0, 8).c_str(),
                trial["label"].get<std::string>().c_str(), trial["state"].get<std::string>().c_str(),
                trial["why"].get<std::string>().c_str());
  }
  std::printf("%s\n", next.c_str());
  return ExitCode::kDone;
}

}  // namespace ditscale::orchestrator
