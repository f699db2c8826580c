#include "analysis/fits/log_samples.hpp"

namespace ditscale::analysis {

LogSamples log_samples(std::span<const FitPoint> points) {
  const auto n = static_cast<Eigen::Index>(points.size());
  LogSamples samples{Eigen::ArrayXd(n), Eigen::ArrayXd(n), Eigen::ArrayXd(n)};
  for (Eigen::Index i = 0; i < n; ++i) {
    const FitPoint& point = points[static_cast<std::size_t>(i)];
    samples.u[i] = std::log(point.x);
    samples.w[i] = std::log(point.d);
    samples.v[i] = std::log(point.y);
  }
  samples.x_mean = samples.u.mean();
  samples.d_mean = samples.w.mean();
  samples.y_mean = samples.v.mean();
  samples.u -= samples.x_mean;
  samples.w -= samples.d_mean;
  samples.v -= samples.y_mean;
  return samples;
}

}  // namespace ditscale::analysis
