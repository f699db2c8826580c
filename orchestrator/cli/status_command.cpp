#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <set>
#include <thread>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/view/outlook_note.hpp"
#include "orchestrator/view/report.hpp"
#include "orchestrator/view/text.hpp"
#include "orchestrator/view/watch.hpp"
#include "slurm/output.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;
using common::Json;

namespace {

/// The view is read from the database, which costs little; Slurm's controller is asked far less often.
constexpr auto kRedraw = std::chrono::seconds(2);
constexpr int kRedrawsPerQuestion = 30;
constexpr int kRedrawsPerPlainView = 15;

constexpr const char* kNothingYet = "no trial has started yet\n";

/// The jobs that live, or why that is not known.
struct Jobs {
  std::vector<slurm::Job> living;
  std::string trouble;
};

Jobs jobs_of(const common::StudyPaths& study) {
  try {
    return {living_jobs(study, slurm::Slurm([](const std::string&) {})), ""};
  } catch (const common::SystemError& error) {
    return {{}, error.what()};
  }
}

std::optional<Report> report_of(const common::StudyPaths& study,
                                const std::optional<std::set<common::TrialId>>& cells) {
  if (!std::filesystem::exists(study.database())) return std::nullopt;
  const bool worked_on = is_worked_on(study);
  Report report = read_report(study, cells);
  if (!worked_on) take_as_left_behind(report);
  return report;
}

/// With the trials that the sweep file no longer has.
std::optional<Report> whole_report_of(const common::StudyPaths& study) {
  auto report = report_of(study, std::nullopt);
  const auto cells = cells_of(study);
  if (report && cells) mark_foreign(*report, *cells);
  return report;
}

std::string jobs_text(const Jobs& jobs) {
  std::string text = jobs.trouble.empty() ? "" : jobs.trouble + "\n";
  for (const slurm::Job& job : jobs.living) text += job_text(job) + "\n";
  return text;
}

ExitCode print_json(const common::StudyPaths& study) {
  const auto report = whole_report_of(study);
  const Jobs jobs = jobs_of(study);
  Json json = report ? report_json(*report) : Json{{"folder", study.folder.string()}, {"trials", Json::array()}};
  json["running"] = is_worked_on(study);
  json["jobs"] = Json::array();
  for (const slurm::Job& job : jobs.living) json["jobs"].push_back(job_json(job));
  json["jobs_unknown"] = jobs.trouble.empty() ? Json() : Json(jobs.trouble);
  std::fputs((json.dump(2) + "\n").c_str(), stdout);
  return ExitCode::kDone;
}

std::string head(const common::StudyPaths& study) {
  return study.folder.filename().string() +
         (is_worked_on(study) ? ": a run works on it now\n" : ": no run works on it now\n");
}

std::string view_text(const common::StudyPaths& study, const Jobs& jobs, std::size_t columns) {
  // One column less than there is: a full line would wrap and spoil the count of lines.
  const std::size_t room = columns > 0 ? columns - 1 : 0;
  std::string text;
  for (const std::string& line : slurm::lines_of(head(study) + jobs_text(jobs)))
    text += (columns > 0 ? cut(line, room) : line) + "\n";
  const auto report = report_of(study, cells_of(study));
  if (!report) return text + kNothingYet;
  const auto outlook =
      is_worked_on(study) ? read_outlook(study.outlook(), common::SystemClock().unix_s()) : std::nullopt;
  for (const std::string& line : watch_lines(*report, outlook, room)) text += line + "\n";
  return text;
}

void draw(const std::string& text, std::size_t& num_drawn) {
  if (num_drawn > 0) std::printf("\x1b[%zuA\r\x1b[J", num_drawn);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  num_drawn = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void print_table(const common::StudyPaths& study, std::size_t columns) {
  const auto report = whole_report_of(study);
  std::fputs(report ? report_text(*report, columns).c_str() : kNothingYet, stdout);
}

ExitCode watch(const common::StudyPaths& study, std::size_t columns) {
  Jobs jobs;
  std::size_t num_drawn = 0;
  for (int turn = 0;; ++turn) {
    if (turn % kRedrawsPerQuestion == 0) jobs = jobs_of(study);
    const bool over = !is_worked_on(study) && jobs.living.empty() && (jobs.trouble.empty() || is_finished(study));
    const std::string text = view_text(study, jobs, columns);
    if (columns > 0) {
      draw(text, num_drawn);
    } else if (turn % kRedrawsPerPlainView == 0 || over) {
      draw(text, num_drawn = 0);
    }
    if (over) break;
    std::this_thread::sleep_for(kRedraw);
  }
  print_table(study, columns);
  return ExitCode::kDone;
}

}  // namespace

ExitCode status_command(const StatusOptions& options, const Environment& environment) {
  const common::StudyPaths study = find_study(options.choice.runs, options.choice.study);
  if (options.json) return print_json(study);
  if (options.watch) return watch(study, environment.terminal_columns);
  std::fputs((head(study) + jobs_text(jobs_of(study))).c_str(), stdout);
  print_table(study, environment.terminal_columns);
  return ExitCode::kDone;
}

}  // namespace ditscale::orchestrator
