#pragma once

#include <optional>
#include <span>

namespace ditscale::analysis {

/// Pearson's r of two series of the same length. Empty below three points or when a series is constant.
[[nodiscard]] std::optional<double> pearson(std::span<const double> x, std::span<const double> y);

/// Spearman's rho: Pearson's r of the ranks, ties sharing their mean rank.
[[nodiscard]] std::optional<double> spearman(std::span<const double> x, std::span<const double> y);

/// 95 % interval of Pearson's r by Fisher's z; assumes normal pairs. Empty below four points or at |r| = 1.
struct Interval {
  double low = 0;
  double high = 0;
};
[[nodiscard]] std::optional<Interval> fisher_interval(double r, std::size_t n);

}  // namespace ditscale::analysis
