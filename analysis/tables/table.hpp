#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace ditscale::analysis {

/// How a column is shown; the values themselves keep full precision.
struct Column {
  std::string name;
  enum class Kind {
    kText,
    /// Shown as it is.
    kInteger,
    /// Shown with `digits` significant digits.
    kNumber,
  };
  Kind kind = Kind::kText;
  int digits = 4;
  /// May be cut ("…") when the terminal is too narrow.
  bool shrinkable = false;
};

/// One result, many renderers. Cells are JSON scalars; null is "nothing known".
struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<common::Json>> rows;

  [[nodiscard]] std::optional<std::size_t> find(const std::string& column) const;
  /// Takes the column out; nothing happens when there is none of that name.
  void drop(const std::string& column);
};

enum class Format { kTable, kCsv, kJson, kMarkdown };
/// "table", "csv", "json" or "md"; anything else is a UsageError.
[[nodiscard]] Format format_from(const std::string& name);

/// Aligned columns, "-" for null. With `width` (characters of the terminal) shrinkable columns give way, down to eight
/// characters each; without, nothing is cut.
[[nodiscard]] std::string to_text(const Table& table, std::optional<std::size_t> width = std::nullopt);
/// Characters in a line of `to_text` when nothing is cut.
[[nodiscard]] std::size_t text_width(const Table& table);
/// RFC 4180 with a header; null is an empty field, numbers read back the same.
[[nodiscard]] std::string to_csv(const Table& table);
/// A name that two columns have, of which JSON would lose one; empty when there is none.
[[nodiscard]] std::optional<std::string> doubled_column(const Table& table);
/// A list of objects, numbers in full precision. UsageError where a column would be lost.
[[nodiscard]] common::Json to_json(const Table& table);
[[nodiscard]] std::string to_markdown(const Table& table);

/// In the given format; `width` counts for kTable only.
[[nodiscard]] std::string render(const Table& table, Format format, std::optional<std::size_t> width);

}  // namespace ditscale::analysis
