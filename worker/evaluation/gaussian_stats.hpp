#pragma once

#include <cstdint>

#include <torch/types.h>

#include "common/error.hpp"

namespace ditscale::worker {

/// Features that have no distribution: the score is empty, with this as its reason.
class NotFinite : public common::Error {
 public:
  using Error::Error;
};

/// Mean and covariance of a set of feature vectors.
struct GaussianStats {
  /// Vectors seen.
  std::int64_t n = 0;
  torch::Tensor mean;        // (D) float64
  torch::Tensor covariance;  // (D, D) float64, divided by n - 1
};

/// Collects the statistics of feature vectors that come in pieces, in float64 and around a pilot mean, so that large
/// means cost no digits. Pieces may be collected apart and merged: the result is the same up to rounding.
class GaussianAccumulator {
 public:
  explicit GaussianAccumulator(std::int64_t width);

  /// Adds feature vectors of any floating type. Throws NotFinite naming the first vector with a NaN or infinity, and
  /// takes none of them then.
  void add(const torch::Tensor& features);  // (N, D)
  void merge(const GaussianAccumulator& other);
  /// What is left without vectors that were merged into this one.
  [[nodiscard]] GaussianAccumulator without(const GaussianAccumulator& part) const;

  [[nodiscard]] std::int64_t num_vectors() const { return n_; }
  /// Requires at least two vectors.
  [[nodiscard]] GaussianStats stats() const;

 private:
  /// Adds the other's sums `sign` times, moved to this pilot.
  void combine(const GaussianAccumulator& other, double sign);

  std::int64_t width_;
  std::int64_t n_ = 0;
  /// Mean of the first piece; what follows is counted from here.
  torch::Tensor pilot_;  // (D)
  /// Sum of x - pilot.
  torch::Tensor sum_;  // (D)
  /// Sum of (x - pilot) (x - pilot)ᵀ.
  torch::Tensor outer_;  // (D, D)
};

}  // namespace ditscale::worker
