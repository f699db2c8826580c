#include "orchestrator/view/report.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "orchestrator/coordinator/score_entry.hpp"
#include "orchestrator/view/text.hpp"
#include "results/reader.hpp"

namespace ditscale::orchestrator {

using common::Json;
using results::TrialState;

namespace {

/// Columns of the table that give way on a narrow terminal, the least missed first.
const std::vector<std::string> kGivingWay{"attempts", "seconds", "Gflops", "steps", "params", "loss", "label"};

using Scores = std::unordered_map<common::TrialId, std::vector<results::EvaluationRow>>;

/// Rows come by step, so the last that fits is the newest.
std::optional<double> newest_score(const std::vector<results::EvaluationRow>& rows, const Json& spec,
                                   const std::map<std::string, Json>& settings) {
  const Json entries = spec.value("evaluate", Json::array());
  std::optional<double> score;
  for (const results::EvaluationRow& row : rows) {
    const auto known = settings.find(row.settings_id);
    if (is_shown_fid(known == settings.end() ? Json() : known->second, entries)) score = row.value;
  }
  return score;
}

template <typename Value>
Json json_of(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

template <typename Value>
std::string cell_of(const std::optional<Value>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string trouble_text(const std::vector<ReportRow>& rows) {
  std::string text;
  for (const ReportRow& row : rows) {
    if (row.trial.reason.empty() || row.trial.state == TrialState::kSucceeded) continue;
    text += fmt::format("{} is {}: {}\n", row.trial.id.brief(), results::to_name(row.trial.state), row.trial.reason);
  }
  return text;
}

std::vector<std::string> table_row(const ReportRow& row) {
  return {row.trial.id.brief(),
          row.trial.label.empty() ? "(the only cell)" : row.trial.label,
          std::string(results::to_name(row.trial.state)) + (row.is_foreign ? " (not in the sweep)" : ""),
          si_text(static_cast<double>(row.trial.total_parameters)),
          fmt::format("{:.4g}", static_cast<double>(row.trial.forward_macs) * 1e-9),
          cell_of(row.fid, "{:.2f}"),
          cell_of(row.loss, "{:.4f}"),
          cell_of(row.steps_done, "{}"),
          cell_of(row.seconds, "{:.1f}"),
          std::to_string(row.num_attempts)};
}

Json row_json(const ReportRow& row) {
  return {{"id", row.trial.id.str()},
          {"label", row.trial.label},
          {"axes", row.trial.axes},
          {"state", std::string(results::to_name(row.trial.state))},
          {"reason", row.trial.reason},
          {"total_parameters", row.trial.total_parameters},
          {"forward_macs", row.trial.forward_macs},
          {"training_flops", row.trial.training_flops},
          {"fid", json_of(row.fid)},
          {"loss", json_of(row.loss)},
          {"steps_done", json_of(row.steps_done)},
          {"seconds", json_of(row.seconds)},
          {"attempts", row.num_attempts},
          {"in_sweep", !row.is_foreign}};
}

}  // namespace

bool Report::every_trial_has_ended() const {
  const auto ended = [](const ReportRow& row) { return results::is_final(row.trial.state); };
  return !rows.empty() && std::all_of(rows.begin(), rows.end(), ended);
}

void mark_foreign(Report& report, const std::set<common::TrialId>& cells) {
  for (ReportRow& row : report.rows) {
    row.is_foreign = cells.count(row.trial.id) == 0;
    report.num_foreign += row.is_foreign ? 1 : 0;
  }
}

void take_as_left_behind(Report& report) {
  report.num_cpus = 0;
  report.num_gpus = 0;
  for (ReportRow& row : report.rows) {
    if (row.trial.state != TrialState::kRunning) continue;
    row.trial.state = TrialState::kLost;
    row.trial.reason = "its run ended under it";
  }
}

Report read_report(const common::StudyPaths& paths, const std::optional<std::set<common::TrialId>>& cells) {
  const results::ResultsReader reader(paths.database());
  Report report;
  report.paths = paths;
  const auto sweeps = reader.sweeps();
  report.name = sweeps.empty() ? paths.folder.filename().string() : sweeps.front().name;
  for (const results::NodeRecord& node : reader.nodes()) {
    report.num_cpus += node.left_s ? 0 : node.cpus;
    report.num_gpus += node.left_s ? 0 : node.gpus;
  }
  std::map<std::string, Json> settings;
  for (const results::SettingsRow& row : reader.settings()) settings[row.id] = row.document;
  Scores scores;
  for (const results::EvaluationRow& row : reader.evaluations("fid")) scores[row.trial].push_back(row);
  for (const results::TrialRow& row : reader.trials()) {
    if (cells && cells->count(row.trial.id) == 0) {
      ++report.num_foreign;
      continue;
    }
    report.rows.push_back({row.trial, newest_score(scores[row.trial.id], row.trial.spec, settings), row.last_loss,
                           row.steps_done, row.seconds, row.images_per_s, row.num_attempts, /*is_foreign=*/false});
  }
  return report;
}

std::string report_text(const Report& report, std::size_t columns) {
  std::vector<std::vector<std::string>> rows{
      {"trial", "label", "state", "params", "Gflops", "FID", "loss", "steps", "seconds", "attempts"}};
  for (const ReportRow& row : report.rows) rows.push_back(table_row(row));
  std::string text = fitted_table_text(std::move(rows), columns, kGivingWay) + trouble_text(report.rows);
  const bool shown =
      std::any_of(report.rows.begin(), report.rows.end(), [](const auto& row) { return row.is_foreign; });
  if (report.num_foreign > 0 && !shown) {
    text += fmt::format("{} more in the database are not part of this sweep file; nothing was changed there\n",
                        report.num_foreign);
  }
  return text +
         fmt::format("database {}\nlog      {}\n", report.paths.database().string(), report.paths.log().string());
}

Json report_json(const Report& report) {
  Json trials = Json::array();
  std::map<std::string, int> states;
  for (const ReportRow& row : report.rows) {
    trials.push_back(row_json(row));
    if (!row.is_foreign) ++states[std::string(results::to_name(row.trial.state))];
  }
  return {{"sweep", report.name},
          {"folder", report.paths.folder.string()},
          {"database", report.paths.database().string()},
          {"states", states},
          {"cpus", report.num_cpus},
          {"gpus", report.num_gpus},
          {"not_in_sweep", report.num_foreign},
          {"trials", trials}};
}

}  // namespace ditscale::orchestrator
