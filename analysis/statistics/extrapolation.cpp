#include "analysis/statistics/extrapolation.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Dense>

namespace ditscale::analysis {

namespace {

/// n times the variance of a score from n samples: the mean over scores, each of which knows it within a sixth only.
std::optional<double> unit_variance(std::span<const CountedScore> scores) {
  double sum = 0;
  for (const CountedScore& score : scores) {
    if (!score.standard_error) return std::nullopt;
    sum += score.num_samples * *score.standard_error * *score.standard_error;
  }
  return sum / static_cast<double>(scores.size());
}

/// Of the errors, in the unit of `unit_variance`.
Eigen::MatrixXd covariance(const Eigen::VectorXd& inverse_counts, Samples samples) {
  if (samples == Samples::kIndependent) return inverse_counts.asDiagonal();
  const Eigen::Index size = inverse_counts.size();
  return inverse_counts.replicate(1, size).cwiseMin(inverse_counts.transpose().replicate(size, 1));
}

}  // namespace

std::optional<Extrapolated> at_infinite_samples(std::span<const CountedScore> scores, Samples samples) {
  const auto size = static_cast<Eigen::Index>(scores.size());
  if (size < 2) return std::nullopt;
  Eigen::VectorXd inverse_counts(size);
  Eigen::VectorXd values(size);
  for (Eigen::Index i = 0; i < size; ++i) {
    inverse_counts[i] = 1 / scores[static_cast<std::size_t>(i)].num_samples;
    values[i] = scores[static_cast<std::size_t>(i)].value;
  }
  // Whitened by the factor of the covariance; 1/n in parts of the largest, so that the factorisation knows no units.
  const double unit = inverse_counts.maxCoeff();
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance(inverse_counts / unit, samples));
  Eigen::MatrixXd terms(size, 2);
  terms << Eigen::VectorXd::Ones(size), inverse_counts / unit;
  terms = factor.matrixL().solve(terms);
  values = factor.matrixL().solve(values);
  const Eigen::HouseholderQR<Eigen::MatrixXd> line(terms);
  const Eigen::Vector2d found = line.solve(values);
  const double residual_square = (values - terms * found).squaredNorm();
  const auto freedom = static_cast<double>(size - 2);

  Extrapolated result{found[0], std::nullopt, found[1] / unit, std::nullopt};
  auto variance = unit_variance(scores);
  if (variance) *variance *= unit;
  if (variance && *variance > 0 && size > 2) result.misfit = std::sqrt(residual_square / freedom / *variance);
  if (!variance && size > 2) variance = residual_square / freedom;
  const Eigen::Matrix2d spread = (terms.transpose() * terms).inverse();
  if (variance) result.standard_error = std::sqrt(*variance * spread(0, 0));
  return result;
}

}  // namespace ditscale::analysis
