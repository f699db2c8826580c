#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ditscale::common {

/// The parts between separators; one more than there are separators, empty ones included.
[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);

/// A whole number from 0 that is all of the text; empty otherwise.
[[nodiscard]] std::optional<int> count_in(const std::string& text);

}  // namespace ditscale::common
