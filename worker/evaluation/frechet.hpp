#pragma once

#include <cstdint>

#include "worker/evaluation/gaussian_stats.hpp"

namespace ditscale::worker {

/// A Fréchet distance and what to know before believing it.
struct FrechetResult {
  double value;
  /// Rank of the sample covariance; below the number of features it is singular and the value biased upwards.
  std::int64_t rank;
  /// Vectors behind the sample covariance. The distance of finite sets falls as n grows: compare equal n only.
  std::int64_t n;
};

/// One side of a Fréchet distance between Gaussians (Dowson and Landau 1982; as FID: Heusel et al., arXiv 1706.08500,
/// eq. 6), with a factor of its covariance taken once:
///   |m1 - m2|² + tr S1 + tr S2 - 2 Σ sqrt(max(0, eig(Fᵀ S2 F))),  S1 = F Fᵀ.
/// F is the Cholesky factor, or where S1 is singular the symmetric root. All float64; the matrix of the eigenvalues is
/// symmetric, and nothing is added to singular covariances.
class FrechetReference {
 public:
  explicit FrechetReference(const GaussianStats& reference);

  [[nodiscard]] FrechetResult distance(const GaussianStats& sample) const;
  /// The same without the rank.
  [[nodiscard]] double value(const GaussianStats& sample) const;

 private:
  torch::Tensor mean_;    // (D)
  torch::Tensor factor_;  // (D, D)
  double trace_;
};

/// Eigenvalues of a covariance above largest · D · epsilon (the usual rule of numerical rank).
[[nodiscard]] std::int64_t covariance_rank(const torch::Tensor& covariance);

}  // namespace ditscale::worker
