#pragma once

#include <span>

#include "analysis/fits/power_law.hpp"

namespace ditscale::analysis {

/// Exponents with a floor are looked for up to here: beyond it the law is a step.
inline constexpr double kLargestExponent = 10.0;

struct FoundLaw {
  PowerLaw law;
  double objective = 0;
};

/// The search behind fit_power_law; the points are known to be fittable.
[[nodiscard]] FoundLaw search_law(std::span<const FitPoint> points, const FitOptions& options);

}  // namespace ditscale::analysis
