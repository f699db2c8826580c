#include "orchestrator/cli/study_choice.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/ranges.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "common/json_document.hpp"
#include "orchestrator/cli/job_records.hpp"
#include "orchestrator/view/report.hpp"
#include "results/reader.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::orchestrator {

namespace fs = std::filesystem;

namespace {

std::vector<common::StudyPaths> all_studies(const fs::path& runs) {
  std::vector<common::StudyPaths> studies;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(runs, missing)) {
    const common::StudyPaths study{entry.path()};
    if (fs::exists(study.database(), missing) || fs::exists(study.jobs_json(), missing)) studies.push_back(study);
  }
  return studies;
}

/// The log is written to whenever something happens; the database only while someone writes results.
fs::file_time_type last_work(const common::StudyPaths& study) {
  std::error_code missing;
  // A file that is missing has the earliest time there is.
  return std::max({fs::last_write_time(study.database(), missing), fs::last_write_time(study.log(), missing),
                   fs::last_write_time(study.jobs_json(), missing)});
}

common::StudyPaths newest_study(const fs::path& runs) {
  std::optional<common::StudyPaths> newest;
  for (const common::StudyPaths& study : all_studies(runs)) {
    if (!newest || last_work(study) > last_work(*newest)) newest = study;
  }
  if (!newest)
    throw common::UsageError(fmt::format("{}: there is no study here; name its folder with --runs", runs.string()));
  return *newest;
}

std::string known_names(const fs::path& runs) {
  std::vector<std::string> names;
  for (const common::StudyPaths& study : all_studies(runs)) names.push_back(study.folder.filename().string());
  return names.empty() ? "there is none" : fmt::format("there are: {}", fmt::join(names, ", "));
}

/// For what is named like a trial.
std::string hint_at_trial(const std::string& choice) {
  const bool is_hexadecimal = choice.size() >= 2 && choice.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hexadecimal ? fmt::format(". A trial is named by --trial {} behind its study", choice) : "";
}

/// Trials on record that are not in the sweep. None where the database cannot be read: who writes to it says why.
std::vector<results::OutlinedTrial> foreign_trials(const common::StudyPaths& study, const sweeps::Sweep& sweep) {
  std::error_code absent;
  if (!fs::exists(study.database(), absent)) return {};
  std::set<common::TrialId> cells;
  for (const sweeps::Cell& cell : sweep.cells) cells.insert(cell.id);
  const auto is_cell = [&](const common::TrialId& id) { return cells.count(id) != 0; };
  try {
    const results::ResultsReader reader(study.database());
    const std::vector<common::TrialId> ids = reader.trial_ids();
    if (std::all_of(ids.begin(), ids.end(), is_cell)) return {};
    auto trials = reader.outlined_trials();
    std::erase_if(trials, [&](const auto& each) { return is_cell(each.row.trial.id); });
    return trials;
  } catch (const common::Error&) {
    return {};
  }
}

/// The id that this version gives the trial; empty when it cannot read it.
std::optional<common::TrialId> id_now(const results::OutlinedTrial& trial) {
  try {
    return sweeps::trial_spec_from({trial.spec.value(), "results.db", {}, {}, {}}).id();
  } catch (const common::Error&) {
    return std::nullopt;
  }
}

/// Null when the database cannot be read, and then the user is told.
std::shared_ptr<const results::ResultsReader> open_database(const fs::path& database) {
  try {
    return std::make_shared<const results::ResultsReader>(database);
  } catch (const common::Error& error) {
    fmt::print(stderr, "orchestrator: {}; no measured speed is used\n", error.what());
    return nullptr;
  }
}

}  // namespace

common::StudyPaths study_of(const fs::path& runs, const std::string& sweep_name) { return {runs / sweep_name}; }

common::StudyPaths find_study(const fs::path& runs, const std::string& choice) {
  if (choice == "last") return newest_study(runs);
  const auto is_study = [](const common::StudyPaths& study) {
    return fs::exists(study.database()) || fs::exists(study.jobs_json());
  };
  if (const common::StudyPaths folder{fs::path(choice)}; is_study(folder)) return folder;
  common::StudyPaths study = study_of(runs, choice);
  if (fs::is_regular_file(choice)) study = study_of(runs, sweeps::load_sweep(choice).name);
  if (is_study(study)) return study;
  throw common::UsageError(
      fmt::format("no study \"{}\" in {}: {}{}", choice, runs.string(), known_names(runs), hint_at_trial(choice)));
}

common::StudyPaths find_started_study(const fs::path& runs, const std::string& choice) {
  common::StudyPaths study = find_study(runs, choice);
  if (fs::exists(study.database())) return study;
  throw common::UsageError(
      fmt::format("{}: no trial has started yet; `orchestrator explain` says why it waits", study.folder.string()));
}

void refuse_other_ids(const common::StudyPaths& study, const sweeps::Sweep& sweep) {
  constexpr std::size_t kShown = 6;
  std::set<common::TrialId> cells;
  for (const sweeps::Cell& cell : sweep.cells) cells.insert(cell.id);
  std::vector<std::string> changed;
  for (const results::OutlinedTrial& each : foreign_trials(study, sweep)) {
    if (each.row.num_attempts == 0) continue;
    const auto id = id_now(each);
    if (id && cells.count(*id) != 0) {
      changed.push_back(fmt::format("{} is {} now", each.row.trial.id.brief(), id->brief()));
    }
  }
  if (changed.empty()) return;
  const std::size_t count = changed.size();
  if (count > kShown) changed.resize(kShown), changed.emplace_back("…");
  throw common::ConfigError(fmt::format(
      "{}: {} trials of this sweep were trained under other ids by an earlier version of ditscale, which took defaults "
      "that are written out for settings ({}). They would be trained again and counted twice. Exclude these cells in "
      "the sweep file to keep their results and run the others; or train all of them anew in another folder (--runs)",
      study.folder.string(), count, fmt::join(changed, ", ")));
}

std::string foreign_trials_text(const common::StudyPaths& study, const sweeps::Sweep& sweep) {
  const std::size_t count = foreign_trials(study, sweep).size();
  if (count == 0) return "";
  return fmt::format(
      "{} holds {} trial{} that {} not in this sweep file: of an earlier state of it, or of another one of the same "
      "name (then give this one another \"name\")\n",
      study.folder.string(), count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
}

std::optional<std::set<common::TrialId>> cells_of(const common::StudyPaths& study) {
  std::set<common::TrialId> cells;
  try {
    const std::string text = common::read_file(study.sweep_json());
    const common::Json sweep = common::parse_json(text, study.sweep_json().string()).value;
    for (const common::Json& cell : sweep.at("cells")) cells.emplace(cell.at("id").get<std::string>());
  } catch (const common::Error&) {
    return std::nullopt;
  } catch (const common::Json::exception&) {
    return std::nullopt;
  }
  return cells;
}

bool is_finished(const common::StudyPaths& study) {
  std::error_code missing;
  // A file that is missing has the earliest time there is. Each run writes down the sweep that it has read.
  if (fs::last_write_time(study.sweep_json(), missing) < fs::last_write_time(study.submitted_sweep(), missing))
    return false;
  // A run by hand may have read another one meanwhile, while no job has begun.
  const std::vector<std::string> jobs = recorded_jobs(study);
  if (!jobs.empty() && !fs::exists(study.job_log(jobs.back())) && !fs::exists(study.job_mark(jobs.back())))
    return false;
  return fs::exists(study.database()) && read_report(study, cells_of(study)).every_trial_has_ended();
}

bool is_worked_on(const common::StudyPaths& study) { return common::FileLock::is_held(study.lock()); }

SpeedOf speeds_of(const common::StudyPaths& study, const std::string& gpu_name) {
  const SpeedOf assumed = [gpu_name](const Ask& ask) {
    sweeps::Speed speed;
    if (ask.gpus > 0) speed.gpu_name = gpu_name;
    return speed;
  };
  if (!fs::exists(study.database())) return assumed;
  const auto database = open_database(study.database());
  if (!database) return assumed;
  return [database, assumed](const Ask& ask) {
    const auto measured = database->measured_speed(ask.cpus, ask.total_gpus(), ask.processes);
    return measured ? *measured : assumed(ask);
  };
}

}  // namespace ditscale::orchestrator
