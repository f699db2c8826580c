#include "analysis/queries/study.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/trial_paths.hpp"
#include "sweeps/spec/json_path.hpp"
#include "sweeps/spec/model_spec.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::Json;
using common::TrialId;

namespace {

/// Integer at `path` of a stored configuration; 0 when it is not there.
std::int64_t integer_at(const Json& spec, const std::string& path) {
  const Json value = sweeps::value_at(spec, path);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

std::string model_of(const Json& spec) {
  sweeps::ModelSpec model;
  model.depth = integer_at(spec, "model.depth");
  model.width = integer_at(spec, "model.width");
  model.heads = integer_at(spec, "model.heads");
  model.patch = integer_at(spec, "model.patch");
  const Json block = sweeps::value_at(spec, "model.block");
  if (block.is_string())
    model.block = sweeps::choice_from<sweeps::BlockDesign>(block.get<std::string>()).value_or(model.block);
  const Json mlp_ratio = sweeps::value_at(spec, "model.mlp_ratio");
  if (mlp_ratio.is_number()) model.mlp_ratio = mlp_ratio.get<double>();
  return model.depth > 0 ? sweeps::model_label(model) : "unknown";
}

StudyTrial study_trial(results::TrialRow row) {
  StudyTrial trial;
  const Json& spec = row.trial.spec;
  trial.model = model_of(spec);
  trial.patch = integer_at(spec, "model.patch");
  trial.planned_steps = integer_at(spec, "train.steps");
  trial.global_batch = integer_at(spec, "train.global_batch");
  trial.row = std::move(row);
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

}  // namespace

double StudyTrial::training_flops_after(std::int64_t step) const {
  return 6.0 * static_cast<double>(row.trial.forward_macs) * static_cast<double>(step * global_batch);
}

const StudyTrial* Study::find(const TrialId& id) const {
  const auto found = std::find_if(trials.begin(), trials.end(), [&](const StudyTrial& t) { return t.id() == id; });
  return found == trials.end() ? nullptr : &*found;
}

std::vector<results::EvaluationRow> Study::scores(const std::string& metric, const std::string& settings_id) const {
  std::vector<results::EvaluationRow> found;
  for (const StudyTrial& trial : trials) {
    std::copy_if(evaluations.begin(), evaluations.end(), std::back_inserter(found), [&](const auto& row) {
      return row.trial == trial.id() && row.metric == metric && row.settings_id == settings_id;
    });
  }
  return found;
}

std::vector<results::MetricRow> Study::metrics_of(const TrialId& id) const {
  std::vector<results::MetricRow> found;
  std::copy_if(metrics.begin(), metrics.end(), std::back_inserter(found),
               [&](const auto& row) { return row.trial == id; });
  return found;
}

const results::EvaluationRow* Study::last_score(const TrialId& id, const std::string& metric,
                                                const std::string& settings_id) const {
  const results::EvaluationRow* last = nullptr;
  for (const results::EvaluationRow& row : evaluations) {
    const bool asked = row.trial == id && row.metric == metric && row.settings_id == settings_id;
    if (asked && (last == nullptr || row.step > last->step)) last = &row;
  }
  return last;
}

std::vector<std::string> Study::score_names() const {
  std::vector<std::string> names;
  for (const results::EvaluationRow& row : evaluations) {
    if (std::find(names.begin(), names.end(), row.metric) == names.end()) names.push_back(row.metric);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Study load_study(const fs::path& database) {
  const results::ResultsReader reader(database);
  Study study;
  study.database = database;
  for (results::TrialRow& row : reader.trials()) study.trials.push_back(study_trial(std::move(row)));
  if (study.trials.empty()) {
    throw common::ConfigError(fmt::format(
        "{}: the database has no trials yet; run a sweep first (orchestrator run SWEEP.json)", database.string()));
  }
  const auto sweeps = reader.sweeps();
  study.name = sweeps.empty() ? database.parent_path().filename().string() : sweeps.front().name;
  study.metrics = reader.metrics();
  study.evaluations = reader.evaluations();
  study.settings = reader.settings();
  return study;
}

fs::path find_database(const std::string& db, const std::string& runs, const std::string& sweep) {
  if (!db.empty()) return db;
  if (!sweep.empty()) return common::StudyPaths{fs::path(runs) / sweep}.database();
  return newest_below(runs);
}

}  // namespace ditscale::analysis
