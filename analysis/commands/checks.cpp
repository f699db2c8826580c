#include "analysis/commands/checks.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace ditscale::analysis {

namespace {

template <typename Number>
std::optional<Number> number_from(const std::string& text) {
  Number value{};
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

/// A check that allows the numbers of which `good` is true.
template <typename Number, typename Good>
Check check(const std::string& allowed, Good good) {
  return [allowed, good](const std::string& text) {
    const auto value = number_from<Number>(text);
    return value && good(*value) ? std::string() : fmt::format("{}: not allowed, must be {}", text, allowed);
  };
}

}  // namespace

Check above_zero() {
  return check<double>("a number above 0", [](double value) { return value > 0 && std::isfinite(value); });
}

Check above_zero_or_infinite() {
  return check<double>("a number above 0, or inf", [](double value) { return value > 0; });
}

Check whole_from(std::int64_t least) {
  return check<std::int64_t>(fmt::format("a whole number from {}", least),
                             [least](std::int64_t value) { return value >= least; });
}

}  // namespace ditscale::analysis
