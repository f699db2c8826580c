#include "analysis/queries/csv_points.hpp"

#include <algorithm>
#include <optional>

#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

struct CsvRow {
  int line = 0;
  std::vector<std::string> fields;
};

/// All rows; a quoted field may hold commas, quotes and line breaks.
std::vector<CsvRow> parse_csv(const std::string& text, const std::string& source) {
  std::vector<CsvRow> rows;
  CsvRow row{1, {""}};
  int line = 1;
  bool in_quotes = false;
  const auto finish_row = [&] {
    if (row.fields.size() > 1 || !row.fields.front().empty()) rows.push_back(std::move(row));
    row = CsvRow{line, {""}};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (in_quotes) {
      const bool doubled = c == '"' && i + 1 < text.size() && text[i + 1] == '"';
      if (c == '"' && !doubled) {
        in_quotes = false;
      } else {
        row.fields.back() += c;
        i += doubled ? 1 : 0;
      }
    } else if (c == '"') {
      in_quotes = true;
    } else if (c == ',') {
      row.fields.emplace_back();
    } else if (c == '\n') {
      finish_row();
    } else if (c != '\r') {
      row.fields.back() += c;
    }
  }
  if (in_quotes) throw common::ConfigError(fmt::format("{}:{}: a quoted field has no end", source, row.line));
  finish_row();
  return rows;
}

std::optional<std::size_t> column_named(const CsvRow& header, const std::string& name) {
  const auto found = std::find(header.fields.begin(), header.fields.end(), name);
  if (found == header.fields.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.fields.begin());
}

std::size_t required_column(const CsvRow& header, const std::string& name, const std::string& source) {
  if (const auto column = column_named(header, name)) return *column;
  throw common::ConfigError(fmt::format("{}:{}: there is no column \"{}\"; columns: {}", source, header.line, name,
                                        fmt::join(header.fields, ", ")));
}

double number_in(const CsvRow& row, std::size_t column, const std::string& source) {
  const std::string& field = row.fields[column];
  try {
    std::size_t used = 0;
    const double value = std::stod(field, &used);
    if (used == field.size()) return value;
  } catch (const std::logic_error&) {
    // reported below, together with a number that something follows
  }
  throw common::ConfigError(fmt::format("{}:{}: \"{}\" is not a number", source, row.line, field));
}

}  // namespace

std::vector<FitPoint> read_csv_points(const std::filesystem::path& file, const std::string& x_column,
                                      const std::string& y_column) {
  const std::string source = file.string();
  const std::vector<CsvRow> rows = parse_csv(common::read_file(file), source);
  if (rows.empty()) throw common::ConfigError(source + ": the file is empty; a header and rows are needed");
  const CsvRow& header = rows.front();
  const std::size_t x = required_column(header, x_column, source);
  const std::size_t y = required_column(header, y_column, source);
  const auto trial = column_named(header, "trial");
  const auto run = trial ? trial : column_named(header, "run");
  std::vector<FitPoint> points;
  for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
    if (row->fields.size() != header.fields.size()) {
      throw common::ConfigError(fmt::format("{}:{}: {} fields, the header has {}", source, row->line,
                                            row->fields.size(), header.fields.size()));
    }
    if (row->fields[x].empty() || row->fields[y].empty()) continue;
    const std::string line = fmt::format("line {}", row->line);
    points.push_back({number_in(*row, x, source), number_in(*row, y, source), line, run ? row->fields[*run] : line});
  }
  return points;
}

}  // namespace ditscale::analysis
