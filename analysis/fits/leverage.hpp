#pragma once

#include <span>
#include <vector>

#include <Eigen/Core>

namespace ditscale::analysis {

/// A fit's residuals are smaller than the noise, since each point pulls the law towards itself. With H the hat matrix
/// of `jacobian` (N, parameters) and its block of each run, (1 - H_run)^-power makes up for it: power 1/2 gives
/// residuals of single points the noise's variance (HC2), power 1 those against the law without the run, to first order
/// (CR3, the jackknife's; MacKinnon, Nielsen and Webb 2023). `run_of` numbers each point's run from 0. Directions in
/// which the points say nothing are left out.
[[nodiscard]] std::vector<double> corrected_residuals(const Eigen::MatrixXd& jacobian, const Eigen::VectorXd& residuals,
                                                      std::span<const std::size_t> run_of, double power);

}  // namespace ditscale::analysis
