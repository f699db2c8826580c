#pragma once

#include <vector>

#include "analysis/figures/figure.hpp"

namespace ditscale::analysis {

/// Points that no cheaper point undercuts, by rising x.
[[nodiscard]] std::vector<FigurePoint> lower_envelope(std::vector<FigurePoint> points);
/// The same of a score that is better when it is higher.
[[nodiscard]] std::vector<FigurePoint> upper_envelope(std::vector<FigurePoint> points);

}  // namespace ditscale::analysis
