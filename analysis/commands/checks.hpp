#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ditscale::analysis {

/// Checks of an option's value for CLI11: what is wrong with it, empty where nothing is.
using Check = std::function<std::string(const std::string&)>;

/// A finite number above 0.
[[nodiscard]] Check above_zero();

/// A number above 0, or inf.
[[nodiscard]] Check above_zero_or_infinite();

/// A whole number from `least`.
[[nodiscard]] Check whole_from(std::int64_t least);

}  // namespace ditscale::analysis
