#pragma once

#include <string>

#include "analysis/figures/figure.hpp"
#include "analysis/figures/trial_names.hpp"
#include "analysis/fits/fit_report.hpp"

namespace ditscale::analysis {

/// How far the measured scores lie from the law, in percent, against x. Runs without a name among `names` have their
/// label beside them.
[[nodiscard]] Figure residuals(const FitReport& report, const std::string& name, const RunNames& names);

/// The preferred law with its 95 % band through the points, on to `kBeyondData` times the largest x and to those asked
/// for. Empty for a surface.
inline constexpr double kBeyondData = 3;
[[nodiscard]] Figure law_with_band(const FitReport& report, const std::string& name);

/// Each run's score by the preferred form fitted without it, and the largest by the form fitted without those, against
/// what was measured (both log). Empty where none could be left out.
[[nodiscard]] Figure predicted_against_measured(const FitReport& report, const std::string& name,
                                                const RunNames& names);

}  // namespace ditscale::analysis
