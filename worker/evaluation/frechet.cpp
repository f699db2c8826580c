#include "worker/evaluation/frechet.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include <ATen/Parallel.h>

namespace ditscale::worker {

namespace {

void check_stats(const GaussianStats& stats, std::int64_t width) {
  DITSCALE_CHECK(stats.mean.sizes().equals({width}) && stats.covariance.sizes().equals({width, width}),
                 "statistics of ({}), ({}) where width {} is needed", fmt::join(stats.mean.sizes(), ", "),
                 fmt::join(stats.covariance.sizes(), ", "), width);
  if (!stats.mean.isfinite().all().item<bool>() || !stats.covariance.isfinite().all().item<bool>())
    throw NotFinite("the mean or the covariance of the features holds a NaN or an infinity");
}

/// Eigenvalue solvers synchronise their threads thousands of times: where anything else runs beside them, one thread is
/// up to ten times faster than two. Part of a parallel loop has one thread anyway.
class OneThread {
 public:
  OneThread() : before_(at::in_parallel_region() ? 1 : at::get_num_threads()) {
    if (before_ > 1) at::set_num_threads(1);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() {
    if (before_ > 1) at::set_num_threads(before_);
  }

 private:
  int before_;
};

torch::Tensor eigenvalues_of(const torch::Tensor& symmetric) {
  const OneThread one_thread;
  return at::linalg_eigvalsh(symmetric);
}

/// F with F Fᵀ = covariance.
torch::Tensor factor_of(const torch::Tensor& covariance) {
  const auto [factor, failed] = at::linalg_cholesky_ex(covariance);
  if (failed.item<int>() == 0) return factor;
  const OneThread one_thread;
  const auto [values, vectors] = at::linalg_eigh(covariance);
  return vectors * values.clamp_min(0).sqrt();
}

}  // namespace

std::int64_t covariance_rank(const torch::Tensor& covariance) {
  const double tolerance = static_cast<double>(covariance.size(0)) * std::numeric_limits<double>::epsilon();
  // The Frobenius norm is no less than the largest eigenvalue: what stays positive definite below it has full rank.
  const double bound = covariance.norm().item<double>() * tolerance;
  torch::Tensor lowered = covariance.clone();
  lowered.diagonal().sub_(bound);
  if (std::get<1>(at::linalg_cholesky_ex(lowered)).item<int>() == 0) return covariance.size(0);
  const torch::Tensor eigenvalues = eigenvalues_of(covariance);
  const double threshold = std::max(eigenvalues.max().item<double>() * tolerance, 0.0);
  return eigenvalues.gt(threshold).sum().item<std::int64_t>();
}

FrechetReference::FrechetReference(const GaussianStats& reference)
    : mean_(reference.mean), trace_(reference.covariance.trace().item<double>()) {
  check_stats(reference, reference.mean.size(0));
  factor_ = factor_of(reference.covariance);
}

double FrechetReference::value(const GaussianStats& sample) const {
  check_stats(sample, mean_.size(0));
  const torch::Tensor product = at::matmul(at::matmul(factor_.t(), sample.covariance), factor_);
  const torch::Tensor eigenvalues = eigenvalues_of((product + product.t()) / 2);
  const double root_trace = eigenvalues.clamp_min(0).sqrt().sum().item<double>();
  const double means = (mean_ - sample.mean).square().sum().item<double>();
  const double value = means + trace_ + sample.covariance.trace().item<double>() - 2 * root_trace;
  // Of equal sets rounding alone is left, of either sign; the distance itself is never negative.
  return std::max(value, 0.0);
}

FrechetResult FrechetReference::distance(const GaussianStats& sample) const {
  return {value(sample), covariance_rank(sample.covariance), sample.n};
}

}  // namespace ditscale::worker
