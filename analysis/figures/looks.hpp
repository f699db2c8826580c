#pragma once

#include <string>

#include "analysis/figures/figure.hpp"

namespace ditscale::analysis {

/// gnuplot's words for the look of a picture's series number `number`. Each of 40 has a mark or a dash of its own, bars
/// a brightness or a height, so that they can be told without colour; marks of lines stand far apart.
[[nodiscard]] std::string look_of(const Series& series, std::size_t number);

/// The character of its points in a terminal: each of 24 series has its own.
[[nodiscard]] char character_of(const Series& series, std::size_t number);

/// Whether the series counts where looks are numbered: lines and areas behind and around the data do not.
[[nodiscard]] bool has_look_of_its_own(const Series& series);

}  // namespace ditscale::analysis
