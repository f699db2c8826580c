#include <cstdio>

#include "common/file_lock.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/view/report.hpp"

namespace ditscale::orchestrator {

namespace {

/// True while a coordinator holds the study's lock.
bool is_running(const common::StudyPaths& study) {
  return std::filesystem::exists(study.lock()) && !common::FileLock::try_acquire(study.lock());
}

}  // namespace

common::ExitCode status_command(const StatusOptions& options) {
  const common::StudyPaths study = find_study(options.runs, options.study);
  const Report report = read_report(study, std::nullopt);
  if (options.json) {
    common::Json json = report_json(report);
    json["running"] = is_running(study);
    std::fputs((json.dump(2) + "\n").c_str(), stdout);
    return common::ExitCode::kDone;
  }
  std::printf("%s: %s\n", report.name.c_str(), is_running(study) ? "a run works on it now" : "no run works on it now");
  std::fputs(report_text(report).c_str(), stdout);
  return common::ExitCode::kDone;
}

}  // namespace ditscale::orchestrator
