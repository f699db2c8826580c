#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ditscale::analysis {

/// A piece of a filter.
struct Token {
  enum class Kind { kName, kNumber, kText, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  /// Name, number as written, text without its quotes, or symbol.
  std::string text;
  /// Character it starts at, from 0.
  std::size_t at = 0;
};

/// Splits a filter; the last token is kEnd. UsageError at a character that starts nothing or a text that does not end.
[[nodiscard]] std::vector<Token> tokenise(const std::string& text);

}  // namespace ditscale::analysis
