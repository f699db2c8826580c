#include "analysis/queries/rows.hpp"

#include <algorithm>
#include <memory>

#include "analysis/queries/settings_choice.hpp"
#include "common/error.hpp"
#include "common/object_reader.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

using Kind = Column::Kind;
using NamedColumn = RowSource::NamedColumn;

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

NamedColumn named_column(const std::string& name, Kind kind, std::function<Json(std::size_t)> value, bool shrinkable) {
  NamedColumn named;
  named.column.name = name;
  named.column.kind = kind;
  named.column.shrinkable = shrinkable;
  named.value = std::move(value);
  return named;
}

/// Adds columns of the trial that each row belongs to.
class TrialColumns {
 public:
  explicit TrialColumns(RowSource& source) : source_(source) {}

  void add(const std::string& name, Kind kind, std::function<Json(const StudyTrial&)> get, bool shrinkable = false) {
    auto value = [trial = source_.trial, get = std::move(get)](std::size_t row) { return get(trial(row)); };
    source_.columns.push_back(named_column(name, kind, std::move(value), shrinkable));
  }

 private:
  RowSource& source_;
};

void add_trial_columns(RowSource& source) {
  TrialColumns columns(source);
  columns.add("trial", Kind::kText, [](const StudyTrial& t) { return t.id().brief(); });
  columns.add("id", Kind::kText, [](const StudyTrial& t) { return t.id().str(); });
  columns.add(
      "label", Kind::kText, [](const StudyTrial& t) { return t.row.trial.label; }, true);
  columns.add("model", Kind::kText, [](const StudyTrial& t) { return t.model; });
  columns.add("state", Kind::kText, [](const StudyTrial& t) { return std::string(to_name(t.row.trial.state)); });
  columns.add("in_sweep", Kind::kText, [](const StudyTrial& t) { return t.in_sweep; });
  columns.add("parameters", Kind::kInteger, [](const StudyTrial& t) { return t.row.trial.total_parameters; });
  columns.add("trainable_parameters", Kind::kInteger,
              [](const StudyTrial& t) { return t.row.trial.trainable_parameters; });
  columns.add("forward_macs", Kind::kInteger, [](const StudyTrial& t) { return t.row.trial.forward_macs; });
  columns.add("gflops", Kind::kNumber, [](const StudyTrial& t) { return t.gflops(); });
  columns.add("steps", Kind::kInteger, [](const StudyTrial& t) { return t.planned_steps; });
  columns.add("steps_done", Kind::kInteger, [](const StudyTrial& t) { return or_null(t.row.steps_done); });
}

void add_outcome_columns(RowSource& source) {
  TrialColumns columns(source);
  columns.add("training_flops", Kind::kNumber, [](const StudyTrial& t) { return t.row.trial.training_flops; });
  columns.add("loss", Kind::kNumber, [](const StudyTrial& t) { return or_null(t.row.last_loss); });
  columns.add("images_per_s", Kind::kNumber, [](const StudyTrial& t) { return or_null(t.row.images_per_s); });
  columns.add("attempts", Kind::kInteger, [](const StudyTrial& t) { return t.row.num_attempts; });
  columns.add("seconds", Kind::kNumber, [](const StudyTrial& t) { return or_null(t.row.seconds); });
  columns.add(
      "reason", Kind::kText, [](const StudyTrial& t) { return t.row.trial.reason; }, true);
}

/// One column per score: the last one of each trial. Which setting is asked for only when the column is used.
void add_score_columns(RowSource& source, const Study& study, const std::string& settings_id) {
  TrialColumns columns(source);
  for (const std::string& name : study.score_names()) {
    auto chosen = std::make_shared<std::optional<std::string>>();
    columns.add(name, Kind::kNumber, [&study, name, settings_id, chosen](const StudyTrial& t) {
      if (!*chosen) *chosen = choose_settings(study, name, settings_id).id;
      const results::EvaluationRow* score = study.last_score(t.id(), name, **chosen);
      return score == nullptr ? Json(nullptr) : or_null(score->value);
    });
  }
}

template <typename Row, typename Get>
NamedColumn own_column(const std::vector<Row>& rows, const std::string& name, Kind kind, Get get) {
  return named_column(
      name, kind, [&rows, get](std::size_t row) -> Json { return get(rows[row]); }, false);
}

void add_evaluation_columns(RowSource& source, const Study& study) {
  using Row = results::EvaluationRow;
  const auto add = [&](const std::string& name, Kind kind, auto get) {
    source.columns.push_back(own_column(study.evaluations, name, kind, get));
  };
  add("step", Kind::kInteger, [](const Row& r) { return r.step; });
  add("images", Kind::kInteger, [](const Row& r) { return or_null(r.images); });
  add("metric", Kind::kText, [](const Row& r) { return r.metric; });
  add("value", Kind::kNumber, [](const Row& r) { return or_null(r.value); });
  add("standard_error", Kind::kNumber, [](const Row& r) { return or_null(r.standard_error); });
  add("settings", Kind::kText, [](const Row& r) { return r.settings_id.substr(0, 8); });
  add("reason", Kind::kText, [](const Row& r) { return r.reason; });
}

void add_metric_columns(RowSource& source, const std::vector<results::MetricRow>& metrics) {
  using Row = results::MetricRow;
  const auto add = [&](const std::string& name, Kind kind, auto get) {
    source.columns.push_back(own_column(metrics, name, kind, get));
  };
  add("step", Kind::kInteger, [](const Row& r) { return r.step; });
  add("images", Kind::kInteger, [](const Row& r) { return or_null(r.images); });
  add("loss", Kind::kNumber, [](const Row& r) { return or_null(r.loss); });
  add("loss_simple", Kind::kNumber, [](const Row& r) { return or_null(r.loss_simple); });
  add("loss_vlb", Kind::kNumber, [](const Row& r) { return or_null(r.loss_vlb); });
  add("grad_norm", Kind::kNumber, [](const Row& r) { return or_null(r.grad_norm); });
  add("lr", Kind::kNumber, [](const Row& r) { return or_null(r.lr); });
  add("images_per_s", Kind::kNumber, [](const Row& r) { return or_null(r.images_per_s); });
  add("time_s", Kind::kNumber, [](const Row& r) { return or_null(r.time_s); });
}

/// Rows of evaluations and metrics know their trial by its id.
template <typename Row>
std::function<const StudyTrial&(std::size_t)> trial_by_id(const Study& study, const std::vector<Row>& rows) {
  return [&study, &rows](std::size_t row) -> const StudyTrial& {
    const StudyTrial* trial = study.find(rows[row].trial);
    DITSCALE_CHECK(trial != nullptr, "a row of trial {} that the study does not have", rows[row].trial.str());
    return *trial;
  };
}

}  // namespace

RowKind row_kind_from(const std::string& name) {
  if (name == "trials") return RowKind::kTrials;
  if (name == "evaluations") return RowKind::kEvaluations;
  if (name == "metrics") return RowKind::kMetrics;
  throw common::UsageError(fmt::format("--from {}: not known; allowed: trials, evaluations, metrics", name));
}

const NamedColumn* RowSource::find(const std::string& name) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

Json RowSource::value(std::size_t row, const std::string& column) const {
  if (const NamedColumn* named = find(column)) return named->value(row);
  return sweeps::value_at(trial(row).spec(), column);
}

void RowSource::require(const std::string& column) const {
  if (find(column) != nullptr) return;
  try {
    for (const StudyTrial& one : study->trials) {
      if (!sweeps::value_at(one.spec(), column).is_null()) return;
    }
  } catch (const common::ConfigError& error) {
    throw common::UsageError(error.what());
  }
  std::vector<std::string> names;
  for (const NamedColumn& named : columns) names.push_back(named.column.name);
  const std::string near = common::nearest_word(column, names);
  throw common::UsageError(fmt::format(
      "there is no column \"{}\"{}; columns: {}; and paths of the configuration such as model.width or train.lr",
      column, near.empty() ? "" : fmt::format(" (did you mean {}?)", near), fmt::join(names, ", ")));
}

RowSource rows_of(const Study& study, RowKind kind, const std::string& settings_id) {
  RowSource source;
  source.study = &study;
  switch (kind) {
    case RowKind::kTrials:
      source.num_rows = study.trials.size();
      source.trial = [&study](std::size_t row) -> const StudyTrial& { return study.trials[row]; };
      add_trial_columns(source);
      add_outcome_columns(source);
      add_score_columns(source, study, settings_id);
      source.shown_by_default = {"trial", "label", "model", "state", "gflops", "loss"};
      for (const std::string& name : study.score_names()) source.shown_by_default.push_back(name);
      break;
    case RowKind::kEvaluations:
      source.num_rows = study.evaluations.size();
      source.trial = trial_by_id(study, study.evaluations);
      add_trial_columns(source);
      add_evaluation_columns(source, study);
      source.shown_by_default = {"trial", "label", "step", "metric", "value", "standard_error", "settings", "reason"};
      break;
    case RowKind::kMetrics:
      DITSCALE_CHECK(false, "metrics are read by trial");
  }
  return source;
}

RowSource metric_rows_of(const Study& study, const std::vector<results::MetricRow>& metrics) {
  RowSource source;
  source.study = &study;
  source.num_rows = metrics.size();
  source.trial = trial_by_id(study, metrics);
  add_trial_columns(source);
  add_metric_columns(source, metrics);
  source.shown_by_default = {"trial", "label", "step", "images", "loss", "grad_norm", "lr", "images_per_s"};
  return source;
}

}  // namespace ditscale::analysis
