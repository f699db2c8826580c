#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ditscale::analysis {

/// A CSV file with a header (RFC 4180: quoted fields, doubled quotes). Errors are ConfigError with file and line.
class CsvFile {
 public:
  struct Row {
    int line = 0;
    std::vector<std::string> fields;
  };

  /// A file without a header, with two columns of one name, or above 256 MB is refused, as is a row of another length
  /// than the header.
  explicit CsvFile(const std::filesystem::path& file);

  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] std::optional<std::size_t> find(const std::string& column) const;
  /// A column that is not there is refused with those that are.
  [[nodiscard]] std::size_t require(const std::string& column) const;
  /// Empty for an empty field; what is no number is refused.
  [[nodiscard]] std::optional<double> number(const Row& row, std::size_t column) const;
  /// "points.csv:3".
  [[nodiscard]] std::string where(const Row& row) const;

 private:
  std::string source_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

}  // namespace ditscale::analysis
