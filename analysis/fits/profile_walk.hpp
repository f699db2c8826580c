#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "analysis/fits/log_laws.hpp"
#include "analysis/fits/minimise.hpp"
#include "analysis/statistics/correlation.hpp"

namespace ditscale::analysis {

/// Follows profiles: the objective minimised over all parameters but one, while that one moves away from the best law.
template <typename L>
class ProfileWalk {
 public:
  using Vector = typename L::Vector;

  /// `minimiser` is one of `samples`, and must outlive the walk. An interval ends where the profile rises above
  /// `limit`.
  ProfileWalk(Minimiser<L>& minimiser, const LogSamples& samples, const Vector& best, double limit)
      : minimiser_(minimiser), best_(best), limit_(limit), smallest_(samples.v.minCoeff()) {
    if constexpr (L::kFloor != kNone) best_[L::kFloor] = std::max(best_[L::kFloor], smallest_ + kNoFloor);
  }

  /// Ends are infinite where the profile stays below the limit up to the parameter's bound or over kFarthest.
  [[nodiscard]] Interval interval(int parameter) {
    const Interval result{end(parameter, -1), end(parameter, 1)};
    minimiser_.freeze({});
    return result;
  }

 private:
  static constexpr int kSteps = 100;
  static constexpr int kBisections = 30;
  /// In logarithms: beyond, an end counts as not reached.
  static constexpr double kFarthest = 40;
  /// Floors, as parts of the smallest y, from which a minimum is sought again. Where the law has no floor the objective
  /// does not change with its logarithm, so that no step brings one back.
  static constexpr std::array kFloors{0.3, 0.7, 0.95};
  /// Logarithm of a floor, as part of the smallest y, that is as good as none and no farther away than a walk goes.
  static constexpr double kNoFloor = -15;

  [[nodiscard]] Minimum<L> polished(const Vector& start, std::initializer_list<int> frozen) {
    Minimum<L> minimum;
    minimum.parameters = start;
    minimiser_.freeze(frozen);
    minimiser_.improve(minimum, kSteps);
    return minimum;
  }

  /// The minimum with this value of the parameter, from the one beside it. Only whether it is below the limit matters:
  /// where it is not, the law without floor and other floors are tried.
  [[nodiscard]] Minimum<L> minimum_at(Vector start, int parameter, double value) {
    start[parameter] = value;
    Minimum<L> lowest = polished(start, {parameter});
    if constexpr (L::kFloor != kNone) {
      if (parameter == L::kFloor) return lowest;
      const auto try_floor = [&](double log_floor, std::initializer_list<int> frozen) {
        if (lowest.objective <= limit_) return;
        start[L::kFloor] = log_floor;
        const Minimum<L> other = polished(start, frozen);
        if (other.objective < lowest.objective) lowest = other;
      };
      try_floor(kLogOfNoFloor, {parameter, L::kFloor});
      for (const double part : kFloors) try_floor(smallest_ + std::log(part), {parameter});
    }
    return lowest;
  }

  [[nodiscard]] double end(int parameter, int side) {
    const auto [low, high] = L::bounds(parameter);
    Vector inside = best_;
    const auto below_limit = [&](double value) {
      const Minimum<L> minimum = minimum_at(inside, parameter, value);
      if (minimum.objective > limit_) return false;
      inside = minimum.parameters;
      return true;
    };
    double outside = side * std::numeric_limits<double>::infinity();
    for (double step = 0.01; std::isinf(outside) && step <= kFarthest; step *= 2) {
      const double value = std::clamp(best_[parameter] + side * step, low, high);
      if (!below_limit(value)) outside = value;
      if (value == low || value == high) break;
    }
    for (int i = 0; i < kBisections && std::isfinite(outside); ++i) {
      const double middle = 0.5 * (inside[parameter] + outside);
      if (!below_limit(middle)) outside = middle;
    }
    return outside;
  }

  Minimiser<L>& minimiser_;
  Vector best_;
  double limit_;
  double smallest_;
};

}  // namespace ditscale::analysis
