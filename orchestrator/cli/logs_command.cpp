#include <cstdio>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/trial_choice.hpp"

namespace ditscale::orchestrator {

namespace fs = std::filesystem;
using common::ExitCode;
using common::UsageError;

namespace {

fs::path log_of_trial(const common::StudyPaths& study, const LogsOptions& options) {
  const ReportRow row = choose_trials(read_report(study, std::nullopt), {*options.trial}).front();
  if (row.num_attempts == 0)
    throw UsageError(
        fmt::format("trial {} has not started yet: it is {}", row.trial.id.brief(), results::to_name(row.trial.state)));
  const auto newest = static_cast<int>(row.num_attempts);
  const int attempt = options.attempt.value_or(newest);
  const fs::path log = study.trial(row.trial.id).log(common::AttemptNumber{attempt});
  if (!fs::exists(log))
    throw UsageError(fmt::format("{}: there is no such log; the trial has {} attempts", log.string(), newest));
  return log;
}

fs::path log_of_study(const common::StudyPaths& study) {
  const std::vector<std::string> jobs = recorded_jobs(study);
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    if (fs::exists(study.job_log(*job))) return study.job_log(*job);
  }
  if (fs::exists(study.log())) return study.log();
  throw UsageError(fmt::format("{}: no run has written a log yet{}", study.folder.string(),
                               jobs.empty() ? "" : "; when its job is over, its nodes do not see this folder"));
}

std::string last_part(const std::string& text, int num_lines) {
  if (num_lines == 0) return text;
  std::size_t start = text.size();
  if (start > 0 && text.back() == '\n') --start;
  for (int line = 0; line < num_lines; ++line) {
    const std::size_t before = start == 0 ? std::string::npos : text.rfind('\n', start - 1);
    if (before == std::string::npos) return text;
    start = before;
  }
  return text.substr(start + 1);
}

}  // namespace

ExitCode logs_command(const LogsOptions& options) {
  const auto find = options.trial ? find_started_study : find_study;
  const common::StudyPaths study = find(options.choice.runs, options.choice.study);
  const fs::path log = options.trial ? log_of_trial(study, options) : log_of_study(study);
  std::fprintf(stderr, "%s\n", log.c_str());
  const std::string text = last_part(common::read_file(log), options.num_lines);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode::kDone;
}

}  // namespace ditscale::orchestrator
