#pragma once

#include "analysis/figures/figure.hpp"
#include "analysis/fits/isoflop_report.hpp"

namespace ditscale::analysis {

/// y against N (log), a series per budget, with the minima that are used.
[[nodiscard]] Figure isoflop_curves(const IsoflopReport& report);

/// N* against compute (both log): the minima, and each approach's line in its band, on beyond the budgets.
[[nodiscard]] Figure optimum_by_compute(const IsoflopReport& report);

/// D* against compute, likewise.
[[nodiscard]] Figure data_by_compute(const IsoflopReport& report);

/// The fitted surface L(N, D) as lines of equal y over N and D (both log), with the runs and the path of the best N and
/// D for the computes of the runs. Empty where no surface could be fitted.
[[nodiscard]] Figure surface_contours(const IsoflopReport& report);

}  // namespace ditscale::analysis
