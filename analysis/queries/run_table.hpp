#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace ditscale::analysis {

/// Runs as somebody wrote them down: one row each. Empty cells are null, numbers are numbers.
struct RunTable {
  std::string source;
  std::vector<std::string> columns;
  struct Row {
    /// "runs.csv:3" or "tables.json: rows[2]".
    std::string where;
    std::vector<common::Json> cells;
  };
  std::vector<Row> rows;
};

/// A CSV file with a header; or a JSON file with {"columns": […], "rows": [[…], …]}, at its top or under `table`; or a
/// JSON list of objects. ConfigError with file and place otherwise.
[[nodiscard]] RunTable read_run_table(const std::filesystem::path& file, const std::string& table);

}  // namespace ditscale::analysis
