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
/// eq. 6), with its symmetric root taken once:
///   |m1 - m2|² + tr S1 + tr S2 - 2 Σ sqrt(max(0, eig(R S2 R))),  R = S1^½.
/// All float64; the matrix of the eigenvalues is symmetric, and nothing is added to singular covariances.
class FrechetReference {
 public:
  explicit FrechetReference(const GaussianStats& reference);

  [[nodiscard]] FrechetResult distance(const GaussianStats& sample) const;

 private:
  torch::Tensor mean_;  // (D)
  torch::Tensor root_;  // (D, D)
  double trace_;
};

}  // namespace ditscale::worker
