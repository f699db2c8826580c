#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/queries/expression.hpp"

namespace ditscale::analysis {

/// A side of a comparison: a column, or a value.
struct Operand {
  /// Empty for a value.
  std::string column;
  common::Json value;

  [[nodiscard]] common::Json in(const Expression::Lookup& lookup) const {
    return column.empty() ? value : lookup(column);
  }
};

/// A node of a filter's tree.
struct Expression::Node {
  enum class Kind { kAnd, kOr, kNot, kCompare, kIn, kIsNull };
  Kind kind = Kind::kCompare;
  std::vector<std::unique_ptr<Node>> children;
  /// Of kCompare: "=", "!=", "<", "<=", ">", ">=", "~".
  std::string symbol;
  /// kCompare: left and right; kIn: left and the list; kIsNull: the one asked.
  std::vector<Operand> operands;

  [[nodiscard]] bool matches(const Lookup& lookup) const;
  void collect_columns(std::vector<std::string>& columns) const;
};

}  // namespace ditscale::analysis
