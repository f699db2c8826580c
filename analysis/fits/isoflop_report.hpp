#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/isoflop.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {

/// One of the three classical approaches to N* and D* against compute.
struct Approach {
  std::string name;
  std::optional<Allocation> allocation;
  std::string why_not;
  /// 95 % by bootstrap: of the surface as of every law, of the others by runs drawn within each budget, which takes
  /// runs of one point each.
  std::optional<Interval> a, b;
  /// Why there is none although it was asked for; else empty.
  std::string why_no_interval;
  int num_failed = 0;
  /// Allocations of the resamples.
  std::vector<Allocation> resamples;
  /// Of the lower end of an interval; the upper end's is 1 minus it.
  double level = 0.025;
  /// a without the largest budget; empty where nothing is left without it.
  std::optional<double> a_without_largest;

  /// 95 % of what follows from the allocation; empty when fewer than half of the resamples gave one, and where
  /// `why_no_interval` says so.
  [[nodiscard]] std::optional<Interval> interval(const std::function<double(const Allocation&)>& quantity) const;
  /// Of N* and of D* at this compute.
  [[nodiscard]] std::optional<Interval> n_interval(double compute) const;
  [[nodiscard]] std::optional<Interval> d_interval(double compute) const;
};

/// Figures and tables follow N* and D* so many times beyond the largest budget.
inline constexpr double kBeyondBudgets = 10;

struct IsoflopReport {
  std::string n_name, d_name, y_name;
  std::vector<BudgetPoint> points;
  std::vector<BudgetMinimum> minima;
  /// 1 envelope, 2 isoFLOP minima, 3 surface.
  std::vector<Approach> approaches;
  /// The surface behind approach 3.
  std::optional<LawFit> surface;
  /// Approach 2 on that surface without noise: exponent minus the surface's own, and N* over its own at the largest
  /// budget and at a hundred times it.
  struct Bias {
    double exponent = 0;
    double n_ratio = 1;
    double n_ratio_beyond = 1;
  };
  std::optional<Bias> bias;
  int num_resamples = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> warnings;
};

/// Throws ConfigError when no approach gives anything, with each one's reason.
[[nodiscard]] IsoflopReport make_isoflop_report(std::vector<BudgetPoint> points, int num_resamples, std::uint64_t seed);

[[nodiscard]] std::string to_text(const IsoflopReport& report);
[[nodiscard]] common::Json to_json(const IsoflopReport& report);

}  // namespace ditscale::analysis
