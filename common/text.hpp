#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace ditscale::common {

/// The parts between separators; one more than there are separators, empty ones included.
[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);

/// The number that is all of the text, as std::from_chars reads it; empty for any other text.
template <typename Number>
[[nodiscard]] std::optional<Number> number_from(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good ? std::optional<Number>(value) : std::nullopt;
}

/// A whole number from 0 that is all of the text; empty otherwise.
[[nodiscard]] std::optional<int> count_in(const std::string& text);

}  // namespace ditscale::common
