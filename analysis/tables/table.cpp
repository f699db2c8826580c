#include "analysis/tables/table.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "analysis/tables/cell_text.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;

std::vector<std::vector<std::string>> texts_of(const Table& table) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : table.rows) {
    std::vector<std::string> texts;
    for (std::size_t c = 0; c < table.columns.size(); ++c) texts.push_back(cell_text(row[c], table.columns[c]));
    rows.push_back(std::move(texts));
  }
  return rows;
}

std::vector<std::size_t> natural_widths(const Table& table, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t width = width_of(table.columns[c].name);
    for (const auto& row : rows) width = std::max(width, width_of(row[c]));
    widths.push_back(width);
  }
  return widths;
}

std::size_t line_width(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), widths.empty() ? 0 : kGap * (widths.size() - 1));
}

/// Takes characters from the widest shrinkable column until the line fits or none can give.
void shrink(const Table& table, std::vector<std::size_t>& widths, std::size_t available) {
  for (std::size_t total = line_width(widths); total > available; --total) {
    std::size_t* widest = nullptr;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const bool can_give = table.columns[c].shrinkable && widths[c] > kNarrowest;
      if (can_give && (widest == nullptr || widths[c] > *widest)) widest = &widths[c];
    }
    if (widest == nullptr) return;
    --*widest;
  }
}

std::string line_of(const Table& table, const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const std::string text = cut_to(cells[c], widths[c]);
    const std::string padding(widths[c] - std::min(widths[c], width_of(text)), ' ');
    if (c > 0) line += std::string(kGap, ' ');
    line += table.columns[c].kind == Column::Kind::kText ? text + padding : padding + text;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

void append_csv(std::string& text, const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) {
    text += field;
    return;
  }
  text += '"';
  for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  text += '"';
}

void append_csv(std::string& text, const Json& cell) {
  if (cell.is_null()) return;
  append_csv(text, cell.is_string() ? cell.get_ref<const std::string&>() : cell.dump());
}

}  // namespace

std::optional<std::size_t> Table::find(const std::string& column) const {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].name == column) return c;
  }
  return std::nullopt;
}

void Table::drop(const std::string& column) {
  const auto at = find(column);
  if (!at) return;
  const auto offset = static_cast<std::ptrdiff_t>(*at);
  columns.erase(columns.begin() + offset);
  for (auto& row : rows) row.erase(row.begin() + offset);
}

Format format_from(const std::string& name) {
  if (name == "table") return Format::kTable;
  if (name == "csv") return Format::kCsv;
  if (name == "json") return Format::kJson;
  if (name == "md") return Format::kMarkdown;
  throw common::UsageError(fmt::format("--format {}: not known; allowed: table, csv, json, md", name));
}

std::string to_text(const Table& table, std::optional<std::size_t> width) {
  const auto rows = texts_of(table);
  std::vector<std::size_t> widths = natural_widths(table, rows);
  if (width) shrink(table, widths, *width);
  std::string text = line_of(table, names_of(table), widths);
  for (const auto& row : rows) text += line_of(table, row, widths);
  return text;
}

std::size_t text_width(const Table& table) { return line_width(natural_widths(table, texts_of(table))); }

std::string to_csv(const Table& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) text += ',';
    append_csv(text, table.columns[c].name);
  }
  text += "\r\n";
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c > 0) text += ',';
      append_csv(text, row[c]);
    }
    text += "\r\n";
  }
  return text;
}

std::optional<std::string> doubled_column(const Table& table) {
  std::set<std::string> names;
  for (const Column& column : table.columns) {
    if (!names.insert(column.name).second) return column.name;
  }
  return std::nullopt;
}

Json to_json(const Table& table) {
  if (const auto name = doubled_column(table)) {
    throw common::UsageError(fmt::format(
        "two columns are called \"{}\", of which JSON would lose one; CSV keeps both: --format csv", *name));
  }
  Json list = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (std::size_t c = 0; c < table.columns.size(); ++c) object[table.columns[c].name] = row[c];
    list.push_back(std::move(object));
  }
  return list;
}

std::string to_markdown(const Table& table) {
  const auto escaped = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
    return text;
  };
  std::string text = "|";
  for (const Column& column : table.columns) text += " " + escaped(column.name) + " |";
  text += "\n|";
  for (const Column& column : table.columns) text += column.kind == Column::Kind::kText ? " --- |" : " ---: |";
  text += "\n";
  for (const auto& row : texts_of(table)) {
    text += "|";
    for (const std::string& cell : row) text += " " + escaped(cell) + " |";
    text += "\n";
  }
  return text;
}

std::string render(const Table& table, Format format, std::optional<std::size_t> width) {
  switch (format) {
    case Format::kCsv:
      return to_csv(table);
    case Format::kJson:
      return to_json(table).dump(2) + "\n";
    case Format::kMarkdown:
      return to_markdown(table);
    case Format::kTable:
      break;
  }
  return to_text(table, width);
}

}  // namespace ditscale::analysis
