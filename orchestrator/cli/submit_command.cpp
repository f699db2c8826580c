#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/sweep_choice.hpp"
#include "orchestrator/launcher/guard.hpp"
#include "orchestrator/launcher/launcher.hpp"
#include "slurm/batch_script.hpp"
#include "slurm/quoting.hpp"

namespace ditscale::orchestrator {

namespace fs = std::filesystem;
using common::ExitCode;
using common::Json;

namespace {

void say(const std::string& text) { std::fprintf(stderr, "orchestrator: %s\n", text.c_str()); }

/// One job: a study's, and the script that runs it.
struct Submission {
  common::StudyPaths study;
  std::string script;
};

fs::path worker_of(const SubmitOptions& options, const Environment& environment) {
  const fs::path worker = fs::absolute(options.worker.value_or(environment.program.parent_path() / "worker"));
  if (is_program(worker)) return worker;
  throw common::ConfigError(fmt::format(
      "{}: there is no program that could train. Build it (`make`), or name it with --worker PATH", worker.string()));
}

std::vector<std::string> run_arguments(const SubmitOptions& options, const Environment& environment,
                                       const common::StudyPaths& study, const std::optional<Shard>& shard) {
  std::vector<std::string> command{environment.program.string(), "run", study.submitted_sweep().string()};
  for (const std::string& assignment : options.sweep.assignments) {
    command.insert(command.end(), {"--set", assignment});
  }
  command.insert(command.end(),
                 {"--runs", fs::absolute(options.sweep.runs).string(), "--worker",
                  worker_of(options, environment).string(), "--retries", std::to_string(options.retries), "--silence",
                  fmt::format("{}", options.silence_s), "--allocation", "--batch-script", study.job_script().string()});
  if (shard) command.insert(command.end(), {"--shard", fmt::format("{}/{}", shard->number, shard->count)});
  return command;
}

Submission prepare(const SubmitOptions& options, const Environment& environment, const std::optional<Shard>& shard) {
  SweepChoice choice = options.sweep;
  choice.shard = shard;
  const sweeps::Sweep sweep = load_sweep(choice);
  const common::StudyPaths study = study_of(fs::absolute(options.sweep.runs), sweep.name);
  refuse_other_ids(study, sweep);
  if (options.limit_s && options.save_before_end_s >= *options.limit_s) {
    throw common::UsageError(fmt::format(
        "--save-before {:.0f}: trials would be told to save before anything is trained in --time {:.0f} s; give a "
        "longer --time or a smaller --save-before",
        static_cast<double>(options.save_before_end_s), *options.limit_s));
  }
  slurm::JobRequest request;
  request.name = "ditscale-" + sweep.name;
  request.num_nodes = options.num_nodes;
  request.cpus_per_node = options.cpus_per_node;
  request.gpus_per_node = options.gpus_per_node;
  request.limit_s = options.limit_s;
  request.signal_before_end_s = options.save_before_end_s;
  request.sbatch_arguments = options.sbatch_arguments;
  request.folder = fs::current_path();
  request.log_folder = study.slurm();
  if (options.source) request.source = fs::absolute(*options.source);
  request.guard = {environment.program.string(), "guard", study.folder.string()};
  request.command = run_arguments(options, environment, study, shard);
  return {study, slurm::render_batch_script(request)};
}

/// The job that waits or runs for the study, for people; empty when there is none.
std::optional<std::string> living_job_text(const common::StudyPaths& study, const slurm::Slurm& slurm) {
  const std::vector<slurm::Job> jobs = living_jobs(study, slurm);
  if (jobs.empty()) return std::nullopt;
  return fmt::format("{}: {}", study.folder.string(), job_text(jobs.front()));
}

[[noreturn]] void refuse_second_job(const std::string& first) {
  throw common::ConfigError(first + ". One job at a time works on a study; `orchestrator cancel` ends it");
}

/// Leaves those that have no job. Of several shards some may have one already, from a command that was cut short.
void leave_those_without_a_job(std::vector<Submission>& submissions, const slurm::Slurm& slurm) {
  std::vector<std::string> have_one;
  std::erase_if(submissions, [&](const Submission& each) {
    const auto job = living_job_text(each.study, slurm);
    if (job) have_one.push_back(*job);
    return job.has_value();
  });
  if (submissions.empty()) refuse_second_job(have_one.front());
  for (const std::string& job : have_one) say(job + "; left as it is");
}

/// Submits the study's script, and says so when Slurm takes it only to let it wait.
std::string submit_and_warn(const common::StudyPaths& study, const slurm::Slurm& slurm) {
  const auto obstacle = slurm.obstacle_to(study.job_script());
  std::string id = submit_script(study, slurm);
  if (obstacle) {
    say(fmt::format(
        "warning: job {} cannot start on the nodes as they are now ({}). Unless that is to change, `orchestrator "
        "cancel {}` and ask for less: --nodes, --cpus-per-node, --gpus-per-node, sbatch's arguments",
        id, *obstacle, study.folder.filename().string()));
  }
  return id;
}

/// All files are there before Slurm hears of the job: it may start at once.
Json submit_one(const Submission& submission, const fs::path& sweep_file, const slurm::Slurm& slurm) {
  const common::StudyPaths& study = submission.study;
  common::make_folder(study.slurm());
  common::write_file_atomically(study.submitted_sweep(), common::read_file(sweep_file));
  common::write_file_atomically(study.job_script(), submission.script);
  const std::string id = submit_and_warn(study, slurm);
  return {{"study", study.folder.filename().string()},
          {"job", id},
          {"script", study.job_script().string()},
          {"log", study.job_log(id).string()}};
}

/// At once: the next shard may have to wait long for its turn.
void print_submitted(const Json& job) {
  fmt::print("submitted job {} for {}; log {}\n", job["job"].get<std::string>(), job["study"].get<std::string>(),
             job["log"].get<std::string>());
  std::fflush(stdout);
}

Json submit_all(const std::vector<Submission>& submissions, const SubmitOptions& options, const slurm::Slurm& slurm) {
  Json jobs = Json::array();
  try {
    for (const Submission& each : submissions) {
      jobs.push_back(submit_one(each, options.sweep.file, slurm));
      if (!options.json) print_submitted(jobs.back());
    }
  } catch (const common::Error& error) {
    if (jobs.empty()) throw;
    throw common::SystemError(
        fmt::format("{}. {} of {} shards were submitted before; the same command again submits the others",
                    error.what(), jobs.size(), submissions.size()));
  }
  return jobs;
}

}  // namespace

ExitCode submit_command(const SubmitOptions& options, const Environment& environment) {
  std::vector<Submission> submissions;
  if (options.num_shards == 1) {
    submissions.push_back(prepare(options, environment, std::nullopt));
  } else {
    for (int number = 1; number <= options.num_shards; ++number) {
      submissions.push_back(prepare(options, environment, Shard{number, options.num_shards}));
    }
  }
  if (options.dry_run) {
    for (const Submission& each : submissions) std::fputs(each.script.c_str(), stdout);
    return ExitCode::kDone;
  }
  const slurm::Slurm slurm(say);
  leave_those_without_a_job(submissions, slurm);
  const Json jobs = submit_all(submissions, options, slurm);
  if (options.json) {
    fmt::print("{}\n", Json{{"jobs", jobs}}.dump(2));
  } else {
    fmt::print("see how it stands: orchestrator status {} --runs {}\n",
               slurm::shell_word(jobs.front()["study"].get<std::string>()),
               slurm::shell_word(options.sweep.runs.string()));
  }
  return ExitCode::kDone;
}

ExitCode guard_command(const GuardOptions& options, const Environment& environment) {
  if (!environment.slurm_job) throw common::UsageError("guard: this is no Slurm job (SLURM_JOB_ID is not set)");
  const std::string& job = *environment.slurm_job;
  const slurm::Slurm slurm([](const std::string& text) { std::printf("orchestrator: %s\n", text.c_str()); });
  return Guard({job, [&] { return go_on_elsewhere({options.study}, slurm, job); }, {}, slurm}).run();
}

namespace {

/// Where the script says that it stands; empty when it does not say.
fs::path own_place(const std::string& script) {
  const std::string option = "--batch-script ";
  const std::size_t at = script.rfind(option);
  if (at == std::string::npos) return {};
  return slurm::text_of_shell_word(std::string_view(script).substr(at + option.size()));
}

/// The script names its folder: in another one it would go on with the study that it was written for.
void refuse_moved(const common::StudyPaths& study) {
  const fs::path place = own_place(common::read_file(study.job_script()));
  std::error_code absent;
  if (place.empty() || fs::equivalent(place, study.job_script(), absent)) return;
  throw common::ConfigError(fmt::format(
      "{} was moved or copied here: its batch script works in {}. Submit the sweep file again (`orchestrator "
      "submit SWEEP.json --runs {}`): what has ended is not run again",
      study.folder.string(), place.parent_path().parent_path().string(), study.folder.parent_path().string()));
}

}  // namespace

ExitCode resume_command(const ResumeOptions& options) {
  const common::StudyPaths study = find_study(options.choice.runs, options.choice.study);
  if (!fs::exists(study.job_script())) {
    throw common::UsageError(fmt::format(
        "{} was not submitted to Slurm; `orchestrator run SWEEP.json` goes on with it, `orchestrator submit "
        "SWEEP.json` hands it to Slurm",
        study.folder.string()));
  }
  if (options.dry_run) {
    std::fputs(common::read_file(study.job_script()).c_str(), stdout);
    return ExitCode::kDone;
  }
  refuse_moved(study);
  const slurm::Slurm slurm(say);
  if (const auto job = living_job_text(study, slurm)) refuse_second_job(*job);
  if (is_finished(study)) {
    std::puts("nothing to resume: every trial has ended; `orchestrator retry` gives failed ones another attempt");
    return ExitCode::kNothingToDo;
  }
  const std::string id = submit_and_warn(study, slurm);
  std::printf("submitted job %s; log %s\n", id.c_str(), study.job_log(id).c_str());
  return ExitCode::kDone;
}

}  // namespace ditscale::orchestrator
