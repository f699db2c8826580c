#include "analysis/queries/run_table.hpp"

#include <algorithm>

#include "analysis/queries/csv_file.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

RunTable from_csv(const std::filesystem::path& file) {
  const CsvFile csv(file);
  RunTable table{file.string(), csv.header(), {}};
  for (const CsvFile::Row& row : csv.rows()) {
    RunTable::Row out{csv.where(row), {}};
    for (const std::string& field : row.fields) {
      Json cell = Json::parse(field, nullptr, /*allow_exceptions=*/false);
      const bool plain = cell.is_number() || cell.is_boolean();
      out.cells.push_back(field.empty() ? Json(nullptr) : plain ? cell : Json(common::valid_utf8(field)));
    }
    table.rows.push_back(std::move(out));
  }
  return table;
}

bool is_table(const Json& value) {
  return value.is_object() && value.contains("columns") && value.contains("rows") && value["columns"].is_array() &&
         value["rows"].is_array();
}

[[noreturn]] void refuse(const std::string& source, const Json& document) {
  std::vector<std::string> names;
  if (document.is_object()) {
    for (const auto& [name, value] : document.items()) {
      if (is_table(value)) names.push_back(name);
    }
  }
  throw common::ConfigError(
      fmt::format("{}: no table there; a table has columns and rows, or is a list of objects{}", source,
                  names.empty() ? "" : fmt::format("; choose one with --table: {}", fmt::join(names, ", "))));
}

RunTable from_columns_and_rows(const Json& value, const std::string& source) {
  RunTable table{source, {}, {}};
  for (const Json& column : value["columns"]) {
    if (!column.is_string()) throw common::ConfigError(source + ": columns must be texts");
    table.columns.push_back(column.get<std::string>());
  }
  for (const Json& row : value["rows"]) {
    RunTable::Row out{fmt::format("{}: rows[{}]", source, table.rows.size()), {}};
    if (!row.is_array() || row.size() != table.columns.size()) {
      throw common::ConfigError(fmt::format("{}: a list of {} values is needed", out.where, table.columns.size()));
    }
    out.cells.assign(row.begin(), row.end());
    table.rows.push_back(std::move(out));
  }
  return table;
}

RunTable from_objects(const Json& list, const std::string& source) {
  RunTable table{source, {}, {}};
  for (const Json& object : list) {
    if (!object.is_object()) throw common::ConfigError(fmt::format("{}: a list of objects is needed", source));
    for (const auto& [key, unused] : object.items()) {
      if (std::find(table.columns.begin(), table.columns.end(), key) == table.columns.end())
        table.columns.push_back(key);
    }
  }
  for (const Json& object : list) {
    RunTable::Row out{fmt::format("{}: [{}]", source, table.rows.size()), {}};
    for (const std::string& column : table.columns) out.cells.push_back(object.value(column, Json()));
    table.rows.push_back(std::move(out));
  }
  return table;
}

}  // namespace

RunTable read_run_table(const std::filesystem::path& file, const std::string& table) {
  if (file.extension() != ".json") return from_csv(file);
  const Json document = common::read_json(file).value;
  const std::string source = table.empty() ? file.string() : file.string() + ": " + table;
  const Json& value = table.empty()                                      ? document
                      : document.is_object() && document.contains(table) ? document[table]
                                                                         : Json();
  if (is_table(value)) return from_columns_and_rows(value, source);
  if (value.is_array()) return from_objects(value, source);
  refuse(source, document);
}

}  // namespace ditscale::analysis
