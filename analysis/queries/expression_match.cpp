#include <algorithm>

#include "analysis/queries/expression_nodes.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

std::string shown(const Operand& operand, const Json& value) {
  return operand.column.empty() ? value.dump() : fmt::format("{} ({})", operand.column, value.dump());
}

/// -1, 0, 1. Values of different kinds have no order.
int order(const Operand& left, const Json& a, const Operand& right, const Json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>();
    const double y = b.get<double>();
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.type() == b.type()) return a < b ? -1 : a == b ? 0 : 1;
  throw common::UsageError(fmt::format("--where: {} and {} cannot be compared: one is {}, the other {}", shown(left, a),
                                       shown(right, b), a.type_name(), b.type_name()));
}

bool compare(const std::string& symbol, const Operand& left, const Operand& right, const Expression::Lookup& lookup) {
  const Json a = left.in(lookup);
  const Json b = right.in(lookup);
  if (a.is_null() || b.is_null()) return false;
  if (symbol == "~") {
    if (!a.is_string() || !b.is_string()) {
      throw common::UsageError(
          fmt::format("--where: ~ looks for text in text, found {} and {}", shown(left, a), shown(right, b)));
    }
    return a.get<std::string>().find(b.get<std::string>()) != std::string::npos;
  }
  const int sign = order(left, a, right, b);
  if (symbol == "=") return sign == 0;
  if (symbol == "!=") return sign != 0;
  if (symbol == "<") return sign < 0;
  if (symbol == "<=") return sign <= 0;
  if (symbol == ">") return sign > 0;
  return sign >= 0;
}

}  // namespace

bool Expression::Node::matches(const Lookup& lookup) const {
  const auto child_matches = [&](const std::unique_ptr<Node>& child) { return child->matches(lookup); };
  switch (kind) {
    case Kind::kAnd:
      return std::all_of(children.begin(), children.end(), child_matches);
    case Kind::kOr:
      return std::any_of(children.begin(), children.end(), child_matches);
    case Kind::kNot:
      return !children.front()->matches(lookup);
    case Kind::kCompare:
      return compare(symbol, operands[0], operands[1], lookup);
    case Kind::kIn:
      return std::any_of(operands.begin() + 1, operands.end(),
                         [&](const Operand& one) { return compare("=", operands[0], one, lookup); });
    case Kind::kIsNull:
      return operands[0].in(lookup).is_null();
  }
  return false;
}

void Expression::Node::collect_columns(std::vector<std::string>& columns) const {
  for (const Operand& operand : operands) {
    const bool known = std::find(columns.begin(), columns.end(), operand.column) != columns.end();
    if (!operand.column.empty() && !known) columns.push_back(operand.column);
  }
  for (const auto& child : children) child->collect_columns(columns);
}

Expression::Expression(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

bool Expression::matches(const Lookup& lookup) const { return root_->matches(lookup); }

std::vector<std::string> Expression::columns() const {
  std::vector<std::string> columns;
  root_->collect_columns(columns);
  return columns;
}

}  // namespace ditscale::analysis
