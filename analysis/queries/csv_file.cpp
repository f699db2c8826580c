#include "analysis/queries/csv_file.hpp"

#include <algorithm>
#include <set>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/json_document.hpp"
#include "common/text.hpp"

namespace ditscale::analysis {

namespace {

using Row = CsvFile::Row;

/// More columns than a table of runs has.
constexpr std::size_t kMostColumns = 100'000;

/// Before their fields take the memory. The first row is the header.
void refuse_too_many_fields(const std::vector<Row>& rows, const Row& row, const std::string& source) {
  const std::size_t most = rows.empty() ? kMostColumns : rows.front().fields.size();
  if (row.fields.size() <= most) return;
  throw common::ConfigError(
      rows.empty() ? fmt::format("{}:{}: more than {} columns, which no table of runs has", source, row.line, most)
                   : fmt::format("{}:{}: more fields than the header, which has {}", source, row.line, most));
}

/// All rows; a quoted field may hold commas, quotes and line breaks.
std::vector<Row> parse_csv(const std::string& text, const std::string& source) {
  std::vector<Row> rows;
  Row row{1, {""}};
  int line = 1;
  bool in_quotes = false;
  const auto finish_row = [&] {
    if (row.fields.size() > 1 || !row.fields.front().empty()) rows.push_back(std::move(row));
    row = Row{line, {""}};
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
      refuse_too_many_fields(rows, row, source);
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

/// Its fields take several times as much memory.
constexpr std::uintmax_t kLargestFile_bytes = 256U << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

CsvFile::CsvFile(const std::filesystem::path& file) : source_(file.string()) {
  std::error_code unknown;
  if (const auto bytes = std::filesystem::file_size(file, unknown); !unknown && bytes > kLargestFile_bytes) {
    throw common::ConfigError(
        fmt::format("{}: {} MB are more than a table of runs has (at most {}); leave out columns "
                    "and rows that are not needed",
                    source_, bytes >> 20, kLargestFile_bytes >> 20));
  }
  std::string text = common::read_file(file);
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  rows_ = parse_csv(text, source_);
  if (rows_.empty()) throw common::ConfigError(source_ + ": the file is empty; a header and rows are needed");
  header_ = std::move(rows_.front().fields);
  rows_.erase(rows_.begin());
  std::set<std::string> seen;
  for (const std::string& column : header_) {
    if (column.empty() || seen.insert(column).second) continue;
    throw common::ConfigError(fmt::format("{}:1: column \"{}\" stands there twice; rename one", source_, column));
  }
  for (const Row& row : rows_) {
    if (row.fields.size() == header_.size()) continue;
    throw common::ConfigError(
        fmt::format("{}: {} fields, the header has {}", where(row), row.fields.size(), header_.size()));
  }
}

std::optional<std::size_t> CsvFile::find(const std::string& column) const {
  const auto found = std::find(header_.begin(), header_.end(), column);
  if (found == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header_.begin());
}

std::size_t CsvFile::require(const std::string& column) const {
  if (const auto found = find(column)) return *found;
  const bool other_separator = header_.size() == 1 && header_.front().find_first_of(";\t") != std::string::npos;
  throw common::ConfigError(fmt::format("{}:1: there is no column \"{}\"; columns: {}{}", source_, column,
                                        fmt::join(header_, ", "),
                                        other_separator ? " (fields must be separated by commas)" : ""));
}

std::optional<double> CsvFile::number(const Row& row, std::size_t column) const {
  std::string_view field = row.fields[column];
  while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
  while (!field.empty() && field.back() == ' ') field.remove_suffix(1);
  if (field.empty()) return std::nullopt;
  const auto value = common::number_from<double>(field);
  if (!value) {
    throw common::ConfigError(fmt::format("{}: {} is not a number", where(row), common::shown(std::string(field))));
  }
  return value;
}

std::string CsvFile::where(const Row& row) const { return fmt::format("{}:{}", source_, row.line); }

}  // namespace ditscale::analysis
