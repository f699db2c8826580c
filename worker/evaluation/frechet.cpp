#include "worker/evaluation/frechet.hpp"

#include <algorithm>
#include <limits>

namespace ditscale::worker {

namespace {

void check_stats(const GaussianStats& stats, std::int64_t width) {
  DITSCALE_CHECK(stats.mean.sizes().equals({width}) && stats.covariance.sizes().equals({width, width}),
                 "statistics of ({}), ({}) where width {} is needed", fmt::join(stats.mean.sizes(), ", "),
                 fmt::join(stats.covariance.sizes(), ", "), width);
  if (!stats.mean.isfinite().all().item<bool>() || !stats.covariance.isfinite().all().item<bool>())
    throw NotFinite("the mean or the covariance of the features holds a NaN or an infinity");
}

/// Eigenvalues below largest · D · epsilon count as zero (the usual rule of numerical rank).
std::int64_t rank_of(const torch::Tensor& covariance) {
  const torch::Tensor eigenvalues = at::linalg_eigvalsh(covariance);
  const double largest = eigenvalues.max().item<double>();
  const double threshold = largest * static_cast<double>(eigenvalues.size(0)) * std::numeric_limits<double>::epsilon();
  return eigenvalues.gt(std::max(threshold, 0.0)).sum().item<std::int64_t>();
}

}  // namespace

FrechetReference::FrechetReference(const GaussianStats& reference)
    : mean_(reference.mean), trace_(reference.covariance.trace().item<double>()) {
  check_stats(reference, reference.mean.size(0));
  const auto [values, vectors] = at::linalg_eigh(reference.covariance);
  root_ = at::matmul(vectors * values.clamp_min(0).sqrt(), vectors.t());
}

FrechetResult FrechetReference::distance(const GaussianStats& sample) const {
  check_stats(sample, mean_.size(0));
  const torch::Tensor product = at::matmul(at::matmul(root_, sample.covariance), root_);
  const torch::Tensor eigenvalues = at::linalg_eigvalsh((product + product.t()) / 2);
  const double root_trace = eigenvalues.clamp_min(0).sqrt().sum().item<double>();
  const double means = (mean_ - sample.mean).square().sum().item<double>();
  const double value = means + trace_ + sample.covariance.trace().item<double>() - 2 * root_trace;
  // Of equal sets rounding alone is left, of either sign; the distance itself is never negative.
  return {std::max(value, 0.0), rank_of(sample.covariance), sample.n};
}

}  // namespace ditscale::worker
