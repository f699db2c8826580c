#pragma once

#include <span>

#include <Eigen/Core>

#include "analysis/fits/points.hpp"

namespace ditscale::analysis {

/// Points in logarithms around their means: x = exp(u + x_mean) and so on. Parameters are then of order 1, whatever the
/// units of the data.
struct LogSamples {
  Eigen::ArrayXd u;  // log x
  Eigen::ArrayXd w;  // log d
  Eigen::ArrayXd v;  // log y
  double x_mean = 0;
  double d_mean = 0;
  double y_mean = 0;
};

/// x, d and y are positive.
[[nodiscard]] LogSamples log_samples(std::span<const FitPoint> points);

}  // namespace ditscale::analysis
