#pragma once

#include <vector>

#include "worker/evaluation/frechet.hpp"
#include "worker/evaluation/gaussian_stats.hpp"
#include "worker/evaluation/scores/score.hpp"

namespace ditscale::worker {

/// What Fréchet's distance makes of a set of samples.
struct FrechetScores {
  Score distance;
  /// Extrapolated in 1/n (Chong and Forsyth, arXiv 1911.07023, who fit a line instead). May fall below zero where the
  /// distance is within its error of it.
  Score extrapolated;
  std::int64_t rank = 0;
};

/// Sums of feature vectors by group: 20 x D x D float64 (0.67 GB for D = 2,048).
class GaussianGroups {
 public:
  GaussianGroups(std::int64_t num_samples, std::int64_t width);

  /// One piece of one group; see SampleGroups.
  void add(std::int64_t first_index, const torch::Tensor& features);  // (n, D)

  /// All groups, merged in their order.
  [[nodiscard]] GaussianAccumulator whole() const;
  /// Distances of all and, on all threads, of all without each group.
  [[nodiscard]] FrechetScores scores(const FrechetReference& reference) const;

 private:
  [[nodiscard]] std::vector<double> left_out(const GaussianAccumulator& whole, const FrechetReference& reference) const;

  SampleGroups groups_;
  std::int64_t width_;
  std::vector<GaussianAccumulator> sums_;
};

}  // namespace ditscale::worker
