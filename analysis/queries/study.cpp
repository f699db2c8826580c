#include "analysis/queries/study.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <set>

#include "analysis/queries/infinite_samples.hpp"
#include "common/error.hpp"
#include "common/trial_paths.hpp"
#include "sweeps/spec/model_spec.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::TrialId;

namespace {

std::string model_of(const results::OutlinedTrial& trial) {
  if (trial.depth <= 0) return "unknown";
  sweeps::ModelSpec model;
  model.depth = trial.depth;
  model.width = trial.width;
  model.heads = trial.heads;
  model.patch = trial.patch;
  model.block = sweeps::choice_from<sweeps::BlockDesign>(trial.block).value_or(model.block);
  model.mlp_ratio = trial.mlp_ratio.value_or(model.mlp_ratio);
  return sweeps::model_label(model);
}

StudyTrial study_trial(results::OutlinedTrial outline) {
  StudyTrial trial;
  trial.model = model_of(outline);
  trial.patch = outline.patch;
  trial.planned_steps = outline.planned_steps;
  trial.global_batch = outline.global_batch;
  trial.depth = outline.depth;
  trial.width = outline.width;
  trial.block = std::move(outline.block);
  trial.row = std::move(outline.row);
  trial.stored_spec = std::move(outline.spec);
  trial.stored_axes = std::move(outline.axes);
  return trial;
}

/// When `database` was last written to; its -wal file is newer while a study runs.
fs::file_time_type last_change(const fs::path& database) {
  std::error_code code;
  fs::file_time_type time = fs::last_write_time(database, code);
  const fs::file_time_type wal = fs::last_write_time(database.string() + "-wal", code);
  return code ? time : std::max(time, wal);
}

fs::path newest_below(const fs::path& runs) {
  std::error_code code;
  fs::path newest;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs, code)) {
    const fs::path candidate = common::StudyPaths{entry.path()}.database();
    if (!fs::exists(candidate)) continue;
    if (newest.empty() || last_change(candidate) > last_change(newest)) newest = candidate;
  }
  if (newest.empty()) {
    throw common::ConfigError(fmt::format(
        "{}: no <sweep>/results.db below it; run a sweep first (orchestrator run SWEEP.json) or give --db FILE",
        runs.string()));
  }
  return newest;
}

/// By the cells of the sweeps as they were last run. Where one of them does not say its cells (it was imported) nothing
/// is known.
void mark_foreign(Study& study, const results::ResultsReader& reader) {
  std::set<std::string> cells;
  bool all_say_cells = true;
  const auto take_cells = [&](const std::vector<results::SqlValue>& row) {
    const common::Json document = common::Json::parse(std::get<std::string>(row.front()));
    if (!document.contains("cells")) all_say_cells = false;
    for (const common::Json& cell : document.value("cells", common::Json::array())) {
      cells.insert(cell.at("id").get<std::string>());
    }
  };
  reader.query(
      "SELECT document FROM sweeps", [](const auto&) {}, take_cells);
  if (!all_say_cells || cells.empty()) return;
  for (StudyTrial& trial : study.trials) {
    trial.in_sweep = trial.row.trial.state == results::TrialState::kExcluded || cells.contains(trial.id().str());
  }
}

}  // namespace

double StudyTrial::training_flops_after(std::int64_t step) const {
  return 6.0 * static_cast<double>(row.trial.forward_macs) * static_cast<double>(step * global_batch);
}

void Study::index() {
  trial_places_.clear();
  score_places_.clear();
  for (std::size_t i = 0; i < trials.size(); ++i) trial_places_.emplace(trials[i].id(), i);
  for (std::size_t i = 0; i < evaluations.size(); ++i) {
    const auto [place, added] = score_places_.emplace(evaluations[i].trial, std::pair(i, i + 1));
    if (!added) place->second.second = i + 1;
  }
}

const StudyTrial* Study::find(const TrialId& id) const {
  const auto found = trial_places_.find(id);
  return found == trial_places_.end() ? nullptr : &trials[found->second];
}

std::span<const results::EvaluationRow> Study::scores_of(const TrialId& id) const {
  const auto found = score_places_.find(id);
  if (found == score_places_.end()) return {};
  const auto [from, to] = found->second;
  return std::span(evaluations).subspan(from, to - from);
}

std::vector<results::EvaluationRow> Study::scores(const std::string& metric, const std::string& settings_id) const {
  std::vector<results::EvaluationRow> found;
  for (const StudyTrial& trial : trials) {
    for (const results::EvaluationRow& row : scores_of(trial.id())) {
      if (row.metric == metric && row.settings_id == settings_id) found.push_back(row);
    }
  }
  return found;
}

std::vector<results::MetricRow> Study::metrics_of(const TrialId& id) const {
  return read_metrics ? read_metrics(id) : std::vector<results::MetricRow>{};
}

std::vector<results::LossRow> Study::losses_of(const TrialId& id, results::LossKind kind,
                                               std::int64_t after_step) const {
  return read_losses ? read_losses(id, kind, after_step) : std::vector<results::LossRow>{};
}

const results::EvaluationRow* Study::last_score(const TrialId& id, const std::string& metric,
                                                const std::string& settings_id) const {
  const results::EvaluationRow* last = nullptr;
  for (const results::EvaluationRow& row : scores_of(id)) {
    const bool asked = row.metric == metric && row.settings_id == settings_id;
    if (asked && (last == nullptr || row.step > last->step)) last = &row;
  }
  return last;
}

std::vector<std::string> Study::score_names() const {
  std::set<std::string> names;
  for (const results::EvaluationRow& row : evaluations) names.insert(row.metric);
  return {names.begin(), names.end()};
}

Study load_study(const fs::path& database) {
  const auto reader = std::make_shared<const results::ResultsReader>(database);
  Study study;
  study.database = database;
  auto others = std::async(std::launch::async, [&] {
    study.evaluations = reader->evaluations();
    study.settings = reader->settings();
    study.attempts = reader->attempts();
    study.nodes = reader->nodes();
  });
  for (results::OutlinedTrial& trial : reader->outlined_trials()) {
    study.trials.push_back(study_trial(std::move(trial)));
  }
  others.get();
  mark_foreign(study, *reader);
  if (study.trials.empty()) {
    throw common::ConfigError(fmt::format(
        "{}: the database has no trials yet; run a sweep first (orchestrator run SWEEP.json)", database.string()));
  }
  const auto sweeps = reader->sweeps();
  study.name = sweeps.empty() ? database.parent_path().filename().string() : sweeps.front().name;
  study.read_metrics = [reader](const TrialId& id) { return reader->metrics(id); };
  study.read_losses = [reader](const TrialId& id, results::LossKind kind, std::int64_t after_step) {
    return reader->losses(id, kind, after_step);
  };
  study.measured_speed = [reader](const sweeps::ResourceSpec& resources) {
    return reader->measured_speed(resources.cpus, resources.gpus, resources.num_processes());
  };
  study.measured_runs = [reader](const sweeps::ResourceSpec& resources) {
    return reader->measured_runs(resources.cpus, resources.gpus, resources.num_processes());
  };
  add_extrapolated_scores(study);
  study.index();
  return study;
}

fs::path find_database(const std::string& db, const std::string& runs, const std::string& sweep) {
  if (!db.empty()) return db;
  if (!sweep.empty()) return common::StudyPaths{fs::path(runs) / sweep}.database();
  return newest_below(runs);
}

}  // namespace ditscale::analysis
