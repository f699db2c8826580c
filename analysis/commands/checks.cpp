#include "analysis/commands/checks.hpp"

#include <cmath>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "common/text.hpp"

namespace ditscale::analysis {

namespace {

/// A check that allows the numbers of which `good` is true.
template <typename Number, typename Good>
Check check(const std::string& allowed, Good good) {
  return [allowed, good](const std::string& text) {
    const auto value = common::number_from<Number>(std::string_view(text).substr(text.starts_with('+') ? 1 : 0));
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
