#include "analysis/queries/tokens.hpp"

#include <array>
#include <cctype>
#include <string_view>

#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

/// Longer ones first.
constexpr std::array<std::string_view, 12> kSymbols{"==", "!=", "<>", "<=", ">=", "=", "<", ">", "~", "(", ")", ","};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool in_name(char c) { return starts_name(c) || is_digit(c) || c == '.' || c == '[' || c == ']'; }
bool in_number(char c, char before) {
  const bool signed_exponent = (c == '+' || c == '-') && (before == 'e' || before == 'E');
  return is_digit(c) || c == '.' || c == 'e' || c == 'E' || signed_exponent;
}

Token quoted(const std::string& text, std::size_t at) {
  const std::size_t end = text.find(text[at], at + 1);
  if (end == std::string::npos) {
    throw common::UsageError(fmt::format("--where {}: the text that starts at character {} has no end", text, at + 1));
  }
  return {Token::Kind::kText, text.substr(at + 1, end - at - 1), at};
}

template <typename Belongs>
Token run_of(Token::Kind kind, const std::string& text, std::size_t at, Belongs belongs) {
  std::size_t end = at + 1;
  while (end < text.size() && belongs(text[end], text[end - 1])) ++end;
  return {kind, text.substr(at, end - at), at};
}

Token symbol(const std::string& text, std::size_t at) {
  for (const std::string_view candidate : kSymbols) {
    if (text.compare(at, candidate.size(), candidate) == 0) return {Token::Kind::kSymbol, std::string(candidate), at};
  }
  throw common::UsageError(fmt::format("--where {}: '{}' at character {} means nothing here", text, text[at], at + 1));
}

Token next_token(const std::string& text, std::size_t at) {
  const char c = text[at];
  const bool sign = (c == '-' || c == '+') && at + 1 < text.size() && (is_digit(text[at + 1]) || text[at + 1] == '.');
  if (c == '\'' || c == '"') return quoted(text, at);
  if (is_digit(c) || sign || c == '.') return run_of(Token::Kind::kNumber, text, at, in_number);
  if (starts_name(c)) return run_of(Token::Kind::kName, text, at, [](char next, char) { return in_name(next); });
  return symbol(text, at);
}

}  // namespace

std::vector<Token> tokenise(const std::string& text) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    if (std::isspace(static_cast<unsigned char>(text[at])) != 0) {
      ++at;
      continue;
    }
    tokens.push_back(next_token(text, at));
    at += tokens.back().text.size() + (tokens.back().kind == Token::Kind::kText ? 2 : 0);
  }
  tokens.push_back({Token::Kind::kEnd, "", text.size()});
  return tokens;
}

}  // namespace ditscale::analysis
