#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/fits/bootstrap.hpp"

namespace ditscale::analysis {

/// A point with the compute it took: x is the model's size N, d the data D, y the loss or score.
struct BudgetPoint {
  FitPoint point;
  double compute = 0;
};

/// Points whose compute lies within this factor belong to one budget.
inline constexpr double kSameBudget = 1.1;
/// Sizes below which a parabola says little.
inline constexpr std::size_t kFewestSizes = 5;
/// Sizes that determine one.
inline constexpr std::size_t kParabolaSizes = 3;

/// One budget's parabola in log N and its minimum.
struct BudgetMinimum {
  /// The budget's, by rising compute; `compute` is their geometric mean.
  std::vector<BudgetPoint> points;
  double compute = 0;
  std::size_t num_sizes = 0;
  double smallest_n = 0;
  double largest_n = 0;
  /// y = at minimum + curvature (log N - log N*)².
  double n = 0;
  double d = 0;
  double y = 0;
  double curvature = 0;
  /// Why it is in no law ("its minimum lies at the edge …"); empty when it is.
  std::string why_dropped;
};

/// Budgets by rising compute, each with its parabola. Dropped: fewer than three sizes, no minimum (the parabola opens
/// downwards), a minimum outside the sizes or whose best point is the smallest or largest size, one that no score can
/// have: not positive, or below the budget's lowest score by more than its scores lie apart.
[[nodiscard]] std::vector<BudgetMinimum> budget_minima(std::span<const BudgetPoint> points);

/// N* = n_factor C^a, D* = d_factor C^b.
struct Allocation {
  double n_factor = 0;
  double a = 0;
  double d_factor = 0;
  double b = 0;
  [[nodiscard]] double n_at(double compute) const;
  [[nodiscard]] double d_at(double compute) const;
};

/// Straight lines in logarithms through the minima that were not dropped; empty below two of them.
[[nodiscard]] std::optional<Allocation> allocation_of(std::span<const BudgetMinimum> minima);

/// Approach 1: of all sizes' curves, the one that is lowest at each compute. Sizes are told apart by N; between points
/// of one size log y is linear in log compute. Where the smallest or the largest size wins, the best may lie outside,
/// and that compute is not used. Empty when fewer than three sizes win somewhere.
[[nodiscard]] std::optional<Allocation> envelope_allocation(std::span<const BudgetPoint> points);

/// Approach 3: what a fitted surface implies where compute = `per_unit` N D (6 for dense models): a = beta / (alpha +
/// beta). Empty when an exponent is not positive.
[[nodiscard]] std::optional<Allocation> surface_allocation(const Law& surface, double per_unit);

/// Median of compute / (N D).
[[nodiscard]] double compute_per_unit(std::span<const BudgetPoint> points);

/// Approach 2 on the surface itself, without noise, at the very points of the study: what of its answer is bias.
[[nodiscard]] std::optional<Allocation> noise_free_allocation(std::span<const BudgetPoint> points, const Law& surface);

}  // namespace ditscale::analysis
