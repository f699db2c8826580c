#include "analysis/fits/leverage.hpp"

#include <algorithm>

#include <Eigen/QR>
#include <Eigen/SVD>

namespace ditscale::analysis {

namespace {

/// Part of a run's residuals that is left when the law follows it wholly.
constexpr double kLeastFreedom = 1e-6;
constexpr double kSmallestDirection = 1e-9;

/// Orthonormal columns that span those of `jacobian`.
Eigen::MatrixXd basis_of(Eigen::MatrixXd jacobian) {
  for (auto column : jacobian.colwise()) {
    const double length = column.norm();
    if (length > 0) column /= length;
  }
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> factors(jacobian);
  factors.setThreshold(kSmallestDirection);
  return factors.householderQ() * Eigen::MatrixXd::Identity(jacobian.rows(), factors.rank());
}

std::vector<std::vector<Eigen::Index>> places_by_run(std::span<const std::size_t> run_of) {
  std::vector<std::vector<Eigen::Index>> places;
  for (std::size_t i = 0; i < run_of.size(); ++i) {
    if (run_of[i] >= places.size()) places.resize(run_of[i] + 1);
    places[run_of[i]].push_back(static_cast<Eigen::Index>(i));
  }
  return places;
}

}  // namespace

std::vector<double> corrected_residuals(const Eigen::MatrixXd& jacobian, const Eigen::VectorXd& residuals,
                                        std::span<const std::size_t> run_of, double power) {
  const Eigen::MatrixXd basis = basis_of(jacobian);
  std::vector<double> corrected(run_of.size());
  for (const std::vector<Eigen::Index>& places : places_by_run(run_of)) {
    // H_run = U S² Uᵀ out of the run's rows of the basis, U S Vᵀ.
    const Eigen::JacobiSVD<Eigen::MatrixXd> rows(basis(places, Eigen::all), Eigen::ComputeThinU);
    const Eigen::ArrayXd freedom = (1 - rows.singularValues().array().square()).max(kLeastFreedom);
    Eigen::VectorXd own = residuals(places);
    const Eigen::ArrayXd along = rows.matrixU().transpose() * own;
    own += rows.matrixU() * ((freedom.pow(-power) - 1) * along).matrix();
    for (std::size_t i = 0; i < places.size(); ++i) {
      corrected[static_cast<std::size_t>(places[i])] = own[static_cast<Eigen::Index>(i)];
    }
  }
  return corrected;
}

}  // namespace ditscale::analysis
