#pragma once

#include <string>

#include "analysis/figures/figure.hpp"

namespace ditscale::analysis {

/// gnuplot's words for the look of a picture's series number `number`. Each of 40 has a mark or a dash of its own, bars
/// a brightness or a height, so that they can be told without colour; marks of lines stand far apart.
[[nodiscard]] std::string look_of(const Series& series, std::size_t number);

/// The same in a terminal of characters.
[[nodiscard]] std::string character_look_of(const Series& series, std::size_t number);

}  // namespace ditscale::analysis
