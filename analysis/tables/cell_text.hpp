#pragma once

#include <string>

#include "analysis/tables/table.hpp"

namespace ditscale::analysis {

/// A cell as people read it: "-" for null, numbers rounded as the column says, large integers with thousands apart.
[[nodiscard]] std::string cell_text(const common::Json& cell, const Column& column);

/// `value` with `digits` significant digits, trailing zeros kept: "0.3580", "153.6", "1.200e-05".
[[nodiscard]] std::string significant(double value, int digits);

/// Characters (UTF-8 code points) of `text`.
[[nodiscard]] std::size_t width_of(const std::string& text);

/// The first characters of `text`, with "…" at the end when it is longer than `width`.
[[nodiscard]] std::string cut_to(const std::string& text, std::size_t width);

}  // namespace ditscale::analysis
