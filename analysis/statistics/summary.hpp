#pragma once

#include <optional>
#include <span>
#include <vector>

namespace ditscale::analysis {

/// Small pure functions; too few values give an empty optional.
[[nodiscard]] std::optional<double> mean(std::span<const double> values);
[[nodiscard]] std::optional<double> median(std::span<const double> values);

/// Quantile `p` in [0, 1] by linear interpolation between order statistics (R's type 7, numpy's default).
[[nodiscard]] std::optional<double> quantile(std::span<const double> values, double p);

/// Ranks from 1; equal values share the mean of their ranks.
[[nodiscard]] std::vector<double> ranks(std::span<const double> values);

/// log10 of each value; the caller sees to it that all are positive.
[[nodiscard]] std::vector<double> log10_of(std::span<const double> values);

/// Number of values that differ from each other.
[[nodiscard]] std::size_t count_distinct(std::span<const double> values);

}  // namespace ditscale::analysis
