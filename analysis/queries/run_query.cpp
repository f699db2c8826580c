#include <algorithm>
#include <numeric>

#include "analysis/queries/expression.hpp"
#include "analysis/queries/rows.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

std::vector<std::size_t> matching_rows(const RowSource& source, const std::string& where) {
  std::vector<std::size_t> rows(source.num_rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (where.empty()) return rows;
  const Expression filter = Expression::parse(where);
  for (const std::string& column : filter.columns()) source.require(column);
  std::erase_if(rows, [&](std::size_t row) {
    return !filter.matches([&](const std::string& column) { return source.value(row, column); });
  });
  return rows;
}

void sort_rows(const RowSource& source, const std::string& order, std::vector<std::size_t>& rows) {
  if (order.empty()) return;
  const auto colon = order.find(':');
  const std::string column = order.substr(0, colon);
  const std::string direction = colon == std::string::npos ? "asc" : order.substr(colon + 1);
  if (direction != "asc" && direction != "desc") {
    throw common::UsageError(fmt::format("--sort {}: write a column, column:asc or column:desc", order));
  }
  source.require(column);
  std::vector<Json> keys(source.num_rows);
  for (const std::size_t row : rows) keys[row] = source.value(row, column);
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    if (keys[a].is_null() || keys[b].is_null()) return !keys[a].is_null() && keys[b].is_null();
    return direction == "asc" ? keys[a] < keys[b] : keys[b] < keys[a];
  });
}

/// How a path of the configuration is shown: by what its values are.
Column path_column(const std::string& name) { return {name, Column::Kind::kText, 6, false}; }

}  // namespace

Table run_query(const RowSource& source, const RowQuery& query) {
  const std::vector<std::string>& names = query.columns.empty() ? source.shown_by_default : query.columns;
  for (const std::string& name : names) source.require(name);
  std::vector<std::size_t> rows = matching_rows(source, query.where);
  sort_rows(source, query.sort, rows);
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

Table run_metric_query(const Study& study, const RowQuery& query) {
  std::vector<results::MetricRow> matching;
  for (const StudyTrial& trial : study.trials) {
    std::vector<results::MetricRow> rows = study.metrics_of(trial.id());
    if (rows.empty()) continue;
    for (const std::size_t row : matching_rows(metric_rows_of(study, rows), query.where)) {
      matching.push_back(std::move(rows[row]));
    }
    if (query.sort.empty() && query.limit > 0 && matching.size() >= query.limit) break;
  }
  RowQuery rest = query;
  rest.where.clear();
  return run_query(metric_rows_of(study, matching), rest);
}

}  // namespace ditscale::analysis
