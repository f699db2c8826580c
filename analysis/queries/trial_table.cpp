#include "analysis/queries/trial_table.hpp"

#include <set>

#include "analysis/queries/settings_choice.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// A score column: one per score and setting.
struct ScoreColumn {
  std::string metric;
  results::SettingsRow settings;
};

std::vector<ScoreColumn> score_columns(const Study& study) {
  std::vector<ScoreColumn> columns;
  for (const std::string& metric : study.score_names()) {
    for (results::SettingsRow& settings : settings_of(study, metric)) columns.push_back({metric, std::move(settings)});
  }
  return columns;
}

/// Characters of their ids that tell settings apart, four at least.
std::size_t distinct_length(const std::vector<results::SettingsRow>& settings) {
  for (std::size_t length = 4; length < 16; ++length) {
    std::set<std::string> starts;
    for (const results::SettingsRow& row : settings) starts.insert(row.id.substr(0, length));
    if (starts.size() == settings.size()) return length;
  }
  return std::string::npos;
}

}  // namespace

Table trial_table(const Study& study) {
  const std::vector<ScoreColumn> scores = score_columns(study);
  using Kind = Column::Kind;
  Table table;
  table.columns = {{"trial"},
                   {"label", Kind::kText, 4, true},
                   {"model"},
                   {"parameters", Kind::kInteger},
                   {"Gflops", Kind::kNumber},
                   {"state"},
                   {"step", Kind::kInteger},
                   {"loss", Kind::kNumber}};
  const std::vector<Column> after_scores{{"images/s", Kind::kNumber},
                                         {"attempts", Kind::kInteger},
                                         {"seconds", Kind::kNumber},
                                         {"reason", Kind::kText, 4, true}};
  Table own = table;
  own.columns.insert(own.columns.end(), after_scores.begin(), after_scores.end());
  for (const ScoreColumn& score : scores) {
    const std::vector<results::SettingsRow> all = settings_of(study, score.metric);
    const std::string under = all.size() == 1 ? "" : "@" + score.settings.id.substr(0, distinct_length(all));
    const bool taken = own.find(score.metric + under).has_value();
    table.columns.push_back({score.metric + under + (taken ? " (score)" : ""), Kind::kNumber});
  }
  table.columns.insert(table.columns.end(), after_scores.begin(), after_scores.end());
  for (const StudyTrial& t : study.trials) {
    std::vector<Json> row{t.id().brief(),
                          t.row.trial.label,
                          t.model,
                          t.row.trial.total_parameters,
                          t.gflops(),
                          std::string(to_name(t.row.trial.state)),
                          or_null(t.row.steps_done),
                          or_null(t.row.last_loss)};
    for (const ScoreColumn& score : scores) {
      const results::EvaluationRow* last = study.last_score(t.id(), score.metric, score.settings.id);
      row.push_back(last == nullptr ? Json(nullptr) : or_null(last->value));
    }
    const std::string& reason = t.row.trial.reason;
    row.insert(row.end(), {or_null(t.row.images_per_s), t.row.num_attempts, or_null(t.row.seconds),
                           reason.empty() ? Json(nullptr) : Json(reason)});
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace ditscale::analysis
