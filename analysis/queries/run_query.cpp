#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "analysis/queries/expression.hpp"
#include "analysis/queries/rows.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct SortOrder {
  std::string column;
  std::string direction;
};

std::optional<Expression> filter_of(const RowQuery& query) {
  if (query.where.empty()) return std::nullopt;
  return Expression::parse(query.where);
}

std::optional<SortOrder> order_of(const RowQuery& query) {
  if (query.sort.empty()) return std::nullopt;
  const auto colon = query.sort.find(':');
  SortOrder order{query.sort.substr(0, colon), colon == std::string::npos ? "asc" : query.sort.substr(colon + 1)};
  if (order.direction == "asc" || order.direction == "desc") return order;
  throw common::UsageError(fmt::format("--sort {}: write a column, column:asc or column:desc", query.sort));
}

const std::vector<std::string>& columns_of(const RowSource& source, const RowQuery& query) {
  return query.columns.empty() ? source.shown_by_default : query.columns;
}

/// Refuses columns that there are none of.
void check_columns(const RowSource& source, const RowQuery& query) {
  std::set<std::string> named;
  for (const std::string& column : query.columns) {
    if (!named.insert(column).second) throw common::UsageError(fmt::format("--columns: {} stands there twice", column));
  }
  for (const std::string& column : columns_of(source, query)) source.require(column);
  if (const auto filter = filter_of(query)) {
    for (const std::string& column : filter->columns()) source.require(column);
  }
  if (const auto order = order_of(query)) source.require(order->column);
}

std::vector<std::size_t> matching_rows(const RowSource& source, const std::optional<Expression>& filter) {
  std::vector<std::size_t> rows(source.num_rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (!filter) return rows;
  std::erase_if(rows, [&](std::size_t row) {
    return !filter->matches([&](const std::string& column) { return source.value(row, column); });
  });
  return rows;
}

void sort_rows(const RowSource& source, const SortOrder& order, std::vector<std::size_t>& rows) {
  std::vector<Json> keys(source.num_rows);
  for (const std::size_t row : rows) keys[row] = source.value(row, order.column);
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    if (keys[a].is_null() || keys[b].is_null()) return !keys[a].is_null() && keys[b].is_null();
    return order.direction == "asc" ? keys[a] < keys[b] : keys[b] < keys[a];
  });
}

/// How a path of the configuration is shown: by what its values are.
Column path_column(const std::string& name) { return {name, Column::Kind::kText, 6, false}; }

}  // namespace

Table run_query(const RowSource& source, const RowQuery& query) {
  check_columns(source, query);
  const std::vector<std::string>& names = columns_of(source, query);
  std::vector<std::size_t> rows = matching_rows(source, filter_of(query));
  if (const auto order = order_of(query)) sort_rows(source, *order, rows);
  if (query.limit > 0 && rows.size() > query.limit) rows.resize(query.limit);

  Table table;
  for (const std::string& name : names) {
    const RowSource::NamedColumn* named = source.find(name);
    table.columns.push_back(named != nullptr ? named->column : path_column(name));
  }
  for (const std::size_t row : rows) {
    std::vector<Json> cells;
    for (const std::string& name : names) cells.push_back(source.value(row, name));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Study study_where(Study study, const std::string& where, const std::string& settings_id) {
  if (where.empty()) return study;
  std::set<std::string> kept;
  for (const auto& row : run_query(rows_of(study, RowKind::kTrials, settings_id), {where, {"id"}, "", 0}).rows) {
    kept.insert(row.front().get<std::string>());
  }
  if (kept.empty()) throw common::ConfigError(fmt::format("--where {}: no trial is so", where));
  std::erase_if(study.trials, [&](const StudyTrial& trial) { return !kept.contains(trial.id().str()); });
  std::erase_if(study.evaluations, [&](const results::EvaluationRow& row) { return !kept.contains(row.trial.str()); });
  study.index();
  return study;
}

Table run_metric_query(const Study& study, const RowQuery& query) {
  std::vector<results::MetricRow> matching;
  check_columns(metric_rows_of(study, matching), query);  // once, not for each trial
  const std::optional<Expression> filter = filter_of(query);
  for (const StudyTrial& trial : study.trials) {
    std::vector<results::MetricRow> rows = study.metrics_of(trial.id());
    if (rows.empty()) continue;
    for (const std::size_t row : matching_rows(metric_rows_of(study, rows), filter)) {
      matching.push_back(std::move(rows[row]));
    }
    if (query.sort.empty() && query.limit > 0 && matching.size() >= query.limit) break;
  }
  RowQuery rest = query;
  rest.where.clear();
  return run_query(metric_rows_of(study, matching), rest);
}

}  // namespace ditscale::analysis
