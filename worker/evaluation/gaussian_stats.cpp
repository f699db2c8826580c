#include "worker/evaluation/gaussian_stats.hpp"

#include <algorithm>

namespace ditscale::worker {

namespace {

/// Vectors converted to float64 at once.
constexpr std::int64_t kPieceVectors = 4096;

void refuse_non_finite(const torch::Tensor& features, std::int64_t num_before) {
  const torch::Tensor finite = features.isfinite().all(1);
  if (finite.all().item<bool>()) return;
  const std::int64_t first = finite.to(torch::kByte).argmin().item<std::int64_t>();
  const std::int64_t num_bad = features.size(0) - finite.sum().item<std::int64_t>();
  throw NotFinite(fmt::format("the features of image {} hold a NaN or an infinity (as do {} more of this piece of {})",
                              num_before + first, num_bad - 1, features.size(0)));
}

}  // namespace

GaussianAccumulator::GaussianAccumulator(std::int64_t width)
    : width_(width),
      pilot_(torch::zeros({width}, torch::kDouble)),
      sum_(torch::zeros({width}, torch::kDouble)),
      outer_(torch::zeros({width, width}, torch::kDouble)) {}

void GaussianAccumulator::add(const torch::Tensor& features) {
  DITSCALE_CHECK(features.dim() == 2 && features.size(1) == width_, "features of ({}) where (N, {}) is needed",
                 fmt::join(features.sizes(), ", "), width_);
  const at::NoGradGuard no_gradients;
  if (features.size(0) == 0) return;
  refuse_non_finite(features, n_);
  if (n_ == 0) pilot_ = features.slice(0, 0, kPieceVectors).cpu().to(torch::kDouble).mean(0);
  for (std::int64_t begin = 0; begin < features.size(0); begin += kPieceVectors) {
    const torch::Tensor piece =
        features.slice(0, begin, begin + kPieceVectors).cpu().to(torch::kDouble) - pilot_;  // (n, D)
    sum_ += piece.sum(0);
    outer_.addmm_(piece.t(), piece);
  }
  n_ += features.size(0);
}

void GaussianAccumulator::combine(const GaussianAccumulator& other, double sign) {
  DITSCALE_CHECK(other.width_ == width_, "statistics of width {} merged into {}", other.width_, width_);
  // x - p = (x - q) + shift, summed over the other's vectors.
  const torch::Tensor shift = other.pilot_ - pilot_;
  const auto count = static_cast<double>(other.n_);
  const torch::Tensor cross = at::outer(other.sum_, shift);
  sum_ += sign * (other.sum_ + count * shift);
  outer_ += sign * (other.outer_ + cross + cross.t() + count * at::outer(shift, shift));
}

void GaussianAccumulator::merge(const GaussianAccumulator& other) {
  if (other.n_ == 0) return;
  if (n_ == 0) pilot_ = other.pilot_.clone();
  combine(other, 1);
  n_ += other.n_;
}

GaussianAccumulator GaussianAccumulator::without(const GaussianAccumulator& part) const {
  DITSCALE_CHECK(part.n_ <= n_, "{} vectors taken from {}", part.n_, n_);
  GaussianAccumulator rest = *this;
  rest.sum_ = sum_.clone();
  rest.outer_ = outer_.clone();
  rest.combine(part, -1);
  rest.n_ = n_ - part.n_;
  return rest;
}

GaussianStats GaussianAccumulator::stats() const {
  DITSCALE_CHECK(n_ >= 2, "a covariance needs two images, there are {}", n_);
  const auto count = static_cast<double>(n_);
  const torch::Tensor offset = sum_ / count;
  const torch::Tensor covariance = (outer_ - count * at::outer(offset, offset)) / (count - 1);
  return {n_, pilot_ + offset, (covariance + covariance.t()) / 2};
}

}  // namespace ditscale::worker
