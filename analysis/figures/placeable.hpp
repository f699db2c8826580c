#pragma once

#include "analysis/figures/figure.hpp"

namespace ditscale::analysis {

/// The figure without the points that have no place on its logarithmic axes (zero, negative or not finite); its note
/// says how many those are.
[[nodiscard]] Figure placeable(Figure figure);

}  // namespace ditscale::analysis
