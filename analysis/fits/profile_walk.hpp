#pragma once

#include <limits>

#include "analysis/fits/minimise.hpp"
#include "analysis/statistics/correlation.hpp"

namespace ditscale::analysis {

/// Farthest that a profile is followed from the best value, in logarithms: beyond, the end counts as not reached.
inline constexpr double kFarthest = 40;

/// One end of a profile: the farthest value of `parameter` on `side` (-1 or 1) at which the objective, minimised over
/// all other parameters, stays below `limit`. Infinite when it does at the parameter's bound or at kFarthest.
template <typename L>
double profile_end(Minimiser<L>& minimiser, const typename L::Vector& best, int parameter, int side, double limit) {
  constexpr int kSteps = 100;
  constexpr int kBisections = 30;
  const auto [low, high] = L::bounds(parameter);
  minimiser.freeze(parameter);
  typename L::Vector inside = best;
  typename L::Vector last = best;
  const auto objective_at = [&](double value) {
    Minimum<L> minimum;
    minimum.parameters = inside;
    minimum.parameters[parameter] = value;
    minimiser.improve(minimum, kSteps);
    last = minimum.parameters;
    return minimum.objective;
  };
  double outside = std::numeric_limits<double>::quiet_NaN();
  for (double step = 0.01; std::isnan(outside); step *= 2) {
    const double value = best[parameter] + side * step;
    if (value <= low || value >= high || step > kFarthest) break;
    if (objective_at(value) > limit) {
      outside = value;
    } else {
      inside = last;
    }
  }
  for (int i = 0; i < kBisections && !std::isnan(outside); ++i) {
    const double middle = 0.5 * (inside[parameter] + outside);
    if (objective_at(middle) > limit) {
      outside = middle;
    } else {
      inside = last;
    }
  }
  minimiser.freeze(std::nullopt);
  return std::isnan(outside) ? side * std::numeric_limits<double>::infinity() : outside;
}

template <typename L>
Interval profile_walk(Minimiser<L>& minimiser, const typename L::Vector& best, int parameter, double limit) {
  return {profile_end(minimiser, best, parameter, -1, limit), profile_end(minimiser, best, parameter, 1, limit)};
}

}  // namespace ditscale::analysis
