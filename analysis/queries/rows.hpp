#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/queries/study.hpp"
#include "analysis/tables/table.hpp"

namespace ditscale::analysis {

/// What the rows of a query are: one per trial, per score or per training metric.
enum class RowKind { kTrials, kEvaluations, kMetrics };
/// "trials", "evaluations" or "metrics"; anything else is a UsageError.
[[nodiscard]] RowKind row_kind_from(const std::string& name);

/// The columns that rows of a kind have of their own, with how they are shown. On top of them every path of the
/// configuration ("model.width", "train.lr") is a column.
struct RowSource {
  /// Whose rows they are; never null.
  const Study* study = nullptr;
  struct NamedColumn {
    Column column;
    std::function<common::Json(std::size_t row)> value;
  };
  std::vector<NamedColumn> columns;
  /// Columns that are shown when none are asked for.
  std::vector<std::string> shown_by_default;
  std::size_t num_rows = 0;
  /// Trial that a row belongs to.
  std::function<const StudyTrial&(std::size_t row)> trial;

  [[nodiscard]] const NamedColumn* find(const std::string& name) const;
  /// A named column's value, or the configuration's at that path.
  [[nodiscard]] common::Json value(std::size_t row, const std::string& column) const;
  /// UsageError, with the nearest name, when no row can have such a column, whatever rows there are.
  void require(const std::string& column) const;
};

/// `study` must outlive the source. `settings_id` (or the start of one) says which scores the columns of trials show;
/// needed only when there are several settings and a score column is used.
/// Not for metrics: see metric_rows_of.
[[nodiscard]] RowSource rows_of(const Study& study, RowKind kind, const std::string& settings_id);

/// The same of some metrics, which must outlive the source too.
[[nodiscard]] RowSource metric_rows_of(const Study& study, const std::vector<results::MetricRow>& metrics);

/// Asked of `rows_of`'s rows.
struct RowQuery {
  /// A filter (see Expression); empty takes all.
  std::string where;
  /// Empty: the default ones.
  std::vector<std::string> columns;
  /// "fid" or "fid:desc"; empty keeps the sweep's order. Nulls come last.
  std::string sort;
  /// Most rows given; 0 is all.
  std::size_t limit = 0;
};
[[nodiscard]] Table run_query(const RowSource& source, const RowQuery& query);
/// The same over all metrics of the study; only the rows that match are in memory at once.
[[nodiscard]] Table run_metric_query(const Study& study, const RowQuery& query);

/// The study of those trials that `where` keeps; all of them where it is empty. None is a ConfigError.
[[nodiscard]] Study study_where(Study study, const std::string& where, const std::string& settings_id);

}  // namespace ditscale::analysis
