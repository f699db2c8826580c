#pragma once

#include "analysis/figures/figure.hpp"
#include "analysis/fits/isoflop_report.hpp"

namespace ditscale::analysis {

/// y against N (log), a series per budget, with the minima that are used.
[[nodiscard]] Figure isoflop_curves(const IsoflopReport& report);

/// N* against compute (both log): the minima, and each approach's line.
[[nodiscard]] Figure optimum_by_compute(const IsoflopReport& report);

}  // namespace ditscale::analysis
