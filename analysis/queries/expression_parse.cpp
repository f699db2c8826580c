#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "analysis/queries/expression_nodes.hpp"
#include "analysis/queries/tokens.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

using Node = Expression::Node;
using NodePtr = std::unique_ptr<Node>;

constexpr int kMaxDepth = 100;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Recursive descent, one function per level of the grammar in expression.hpp.
class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text), tokens_(tokenise(text)) {}

  NodePtr filter() {
    NodePtr root = any();
    if (now().kind != Token::Kind::kEnd) fail("and, or, or the end");
    return root;
  }

 private:
  const Token& now() const { return tokens_[next_]; }
  Token take() { return tokens_[next_ + 1 < tokens_.size() ? next_++ : next_]; }
  bool is_word(std::string_view word) const { return now().kind == Token::Kind::kName && lower(now().text) == word; }
  bool is_symbol(std::string_view symbol) const { return now().kind == Token::Kind::kSymbol && now().text == symbol; }
  bool take_word(std::string_view word) {
    if (!is_word(word)) return false;
    take();
    return true;
  }
  bool take_symbol(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    take();
    return true;
  }
  [[noreturn]] void fail(const std::string& expected) const {
    const std::string found = now().kind == Token::Kind::kEnd ? "the end" : "\"" + now().text + "\"";
    throw common::UsageError(
        fmt::format("--where {}: expected {} at character {}, found {}", text_, expected, now().at + 1, found));
  }

  NodePtr any() {
    return joined("or", Node::Kind::kOr, [this] { return all(); });
  }
  NodePtr all() {
    return joined("and", Node::Kind::kAnd, [this] { return term(); });
  }

  template <typename Part>
  NodePtr joined(std::string_view word, Node::Kind kind, Part part) {
    NodePtr first = part();
    if (!is_word(word)) return first;
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->children.push_back(std::move(first));
    while (take_word(word)) node->children.push_back(part());
    return node;
  }

  NodePtr term() {
    if (++depth_ > kMaxDepth) throw common::UsageError("--where: nested too deep");
    NodePtr node;
    if (take_word("not")) {
      node = negated(term());
    } else if (take_symbol("(")) {
      node = any();
      if (!take_symbol(")")) fail("')'");
    } else {
      node = comparison();
    }
    --depth_;
    return node;
  }

  static NodePtr negated(NodePtr inner) {
    auto node = std::make_unique<Node>();
    node->kind = Node::Kind::kNot;
    node->children.push_back(std::move(inner));
    return node;
  }

  NodePtr comparison() {
    auto node = std::make_unique<Node>();
    node->operands.push_back(operand());
    if (take_word("is")) {
      const bool no = take_word("not");
      if (!take_word("null")) fail("null");
      node->kind = Node::Kind::kIsNull;
      return no ? negated(std::move(node)) : std::move(node);
    }
    const bool no = take_word("not");
    if (take_word("in")) {
      node->kind = Node::Kind::kIn;
      list_into(*node);
      return no ? negated(std::move(node)) : std::move(node);
    }
    if (no) fail("in");
    node->symbol = comparison_symbol();
    node->operands.push_back(operand());
    return node;
  }

  void list_into(Node& node) {
    if (!take_symbol("(")) fail("'('");
    do {
      node.operands.push_back(operand());
    } while (take_symbol(","));
    if (!take_symbol(")")) fail("',' or ')'");
  }

  std::string comparison_symbol() {
    constexpr std::array<std::string_view, 9> kAllowed{"=", "==", "!=", "<>", "<", "<=", ">", ">=", "~"};
    const bool known =
        now().kind == Token::Kind::kSymbol && std::find(kAllowed.begin(), kAllowed.end(), now().text) != kAllowed.end();
    if (!known) fail("a comparison (= != < <= > >= ~ in is)");
    const std::string symbol = take().text;
    if (symbol == "==") return "=";
    if (symbol == "<>") return "!=";
    return symbol;
  }

  Operand operand() {
    if (now().kind == Token::Kind::kText) return {"", take().text};
    if (now().kind == Token::Kind::kNumber) return {"", number()};
    if (take_word("true")) return {"", true};
    if (take_word("false")) return {"", false};
    if (take_word("null")) return {"", nullptr};
    for (const char* word : {"and", "or", "not", "in", "is"}) {
      if (is_word(word)) fail("a column or a value");
    }
    if (now().kind == Token::Kind::kName) return {take().text, nullptr};
    fail("a column or a value");
  }

  Json number() {
    std::string digits = now().text;
    if (digits.front() == '+') digits.erase(0, 1);
    try {
      std::size_t used = 0;
      const double value = std::stod(digits, &used);
      if (used == digits.size()) {
        take();
        return value;
      }
    } catch (const std::logic_error&) {
      fail("a number");
    }
    fail("a number");
  }

  const std::string& text_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace

Expression Expression::parse(const std::string& text) { return Expression(Parser(text).filter()); }

}  // namespace ditscale::analysis
