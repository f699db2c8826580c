#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace ditscale::analysis {

/// A filter over one row: "fid < 40 and model.patch in (2, 4) and not state = 'failed'".
///
///   filter      or of ands of terms; "not", parentheses
///   term        column operator value; operators = == != <> < <= > >=, "~" (contains), "in (…)", "is null", "is not
///               null"
///   column      a name (fid) or a path of the configuration (model.patch, evaluate[0].steps)
///   value       a number, 'text' or "text", true, false, null, or another column
///
/// A comparison with nothing (null) is false. Text against a number is a UsageError, as is anything that does not
/// parse (with its place). The text is never given to a database or a shell.
class Expression {
 public:
  [[nodiscard]] static Expression parse(const std::string& text);

  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  /// Value of a column in the row that is looked at.
  using Lookup = std::function<common::Json(const std::string& column)>;
  [[nodiscard]] bool matches(const Lookup& lookup) const;
  /// Every column that is named, each once.
  [[nodiscard]] std::vector<std::string> columns() const;

  struct Node;

 private:
  explicit Expression(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

}  // namespace ditscale::analysis
