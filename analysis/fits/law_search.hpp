#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "analysis/fits/forms.hpp"
#include "analysis/fits/points.hpp"
#include "analysis/statistics/correlation.hpp"

namespace ditscale::analysis {

/// How a search is done.
struct SearchOptions {
  /// Huber's delta on log residuals; absent: least squares. 1e-3 is what Hoffmann et al. use for losses.
  std::optional<double> huber_delta;
  /// Starts, spread evenly over all shapes worth trying (a Halton sequence); each is followed to its end.
  int num_starts = 1;
  /// Multiplies the objective. Changes no parameter; there so that a test can show it.
  double objective_scale = 1.0;
};

/// Where a search ended.
struct Found {
  Law law;
  /// Sum over points of weight · rho(log law - log y), rho(r) = r²/2 (Huber's beyond delta).
  double objective = 0;
  int num_starts = 0;
  /// Starts that ended within a millionth of the best objective.
  int num_at_optimum = 0;
  /// No step improves it any more.
  bool converged = false;
  /// The law as its search sees it: a start for further searches on the same points.
  std::array<double, kMostParameters> place{};
};

/// Fits one form to the same points again and again, under different weights. Not to be shared between threads while a
/// search runs; copies are cheap where points are few.
class LawSearch {
 public:
  /// The points can be fitted (see why_not_fittable) and must outlive nothing: they are copied.
  LawSearch(std::span<const FitPoint> points, Form form);
  ~LawSearch();
  LawSearch(LawSearch&&) noexcept;

  /// From all starts, on all processors.
  [[nodiscard]] Found search(const SearchOptions& options) const;

  /// On this thread, from `near` and from `options.num_starts` further starts, which begin with number `first_start`.
  /// One weight per point; zero leaves it out.
  [[nodiscard]] Found search_near(const Found& near, std::span<const double> weights, const SearchOptions& options,
                                  std::size_t first_start) const;

  /// log y - log law of each point, as large as the noise (see corrected_residuals).
  [[nodiscard]] std::vector<double> residuals(const Found& best, std::span<const std::size_t> run_of,
                                              double power) const;

  /// As search_near with equal weights, on other scores: log y = log law(`near`) + `noise`.
  [[nodiscard]] Found search_with_noise(const Found& near, std::span<const double> noise, const SearchOptions& options,
                                        std::size_t first_start) const;

  /// Interval of each parameter of the law by profile likelihood: where the least-squares objective, minimised over all
  /// others, stays below (1 + t²/(n - k)) times its minimum, with Student's t (so F with 1 and n - k degrees). `best`
  /// is the least-squares fit. Empty for factors, which mean nothing apart from their exponents, and for all when n <=
  /// k or the fit is exact. An end that is not reached is 0 or infinite.
  [[nodiscard]] std::array<std::optional<Interval>, kMostParameters> profile(const Found& best) const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ditscale::analysis
