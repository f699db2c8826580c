#include "analysis/fits/log_laws.hpp"

#include <cmath>

namespace ditscale::analysis {

using Eigen::ArrayXd;

namespace {

/// exp() of more, and of less, has no use as a normalised score; its derivative is taken as if there were no limit.
constexpr double kLargestPower = 300;
/// A floor below this is none: in logarithms "no floor" lies at minus infinity, which no search reaches.
constexpr double kNoFloor = 1e-12;

ArrayXd bounded_exp(const ArrayXd& power) { return power.max(-kLargestPower).min(kLargestPower).exp(); }
double bounded_exp(double power) { return std::exp(std::clamp(power, -kLargestPower, kLargestPower)); }

/// Between `low` and `high`, evenly in the logarithm.
double log_spaced(double number, double low, double high) { return low * std::pow(high / low, number); }

double in_y_units(const LogSamples& s, double log_value) { return std::exp(log_value + s.y_mean); }

double floor_of(const LogSamples& s, double e) { return std::exp(e) < kNoFloor ? 0 : in_y_units(s, e); }

}  // namespace

void PowerLogLaw::evaluate(const LogSamples& s, const Vector& p, ArrayXd& prediction, Jacobian* jacobian) {
  prediction = p[0] - p[1] * s.u;
  if (jacobian == nullptr) return;
  jacobian->col(0).setOnes();
  jacobian->col(1) = -s.u;
}

PowerLogLaw::Vector PowerLogLaw::start(const LogSamples&, const double* numbers) { return {0, 2 * numbers[0] - 1}; }

Law PowerLogLaw::law(const LogSamples& s, const Vector& p) {
  return power_law(std::exp(p[0] + s.y_mean + p[1] * s.x_mean), p[1]);
}

void FloorLogLaw::evaluate(const LogSamples& s, const Vector& p, ArrayXd& prediction, Jacobian* jacobian) {
  const ArrayXd falling = bounded_exp(p[0] - p[1] * s.u);
  const double floor = bounded_exp(p[2]);
  const ArrayXd sum = falling + floor;
  prediction = sum.log();
  if (jacobian == nullptr) return;
  jacobian->col(0) = falling / sum;
  jacobian->col(1) = -s.u * jacobian->col(0);
  jacobian->col(2) = floor / sum;
}

FloorLogLaw::Vector FloorLogLaw::start(const LogSamples&, const double* numbers) {
  const double share = numbers[1];  // of the floor in a typical y
  return {std::log(1 - share), log_spaced(numbers[0], 0.01, 3), std::log(share + 1e-3)};
}

Law FloorLogLaw::law(const LogSamples& s, const Vector& p) {
  return power_law_with_floor(floor_of(s, p[2]), std::exp(p[0] + s.y_mean + p[1] * s.x_mean), p[1]);
}

void BrokenLogLaw::evaluate(const LogSamples& s, const Vector& p, ArrayXd& prediction, Jacobian* jacobian) {
  const ArrayXd t = s.u - p[3];
  const ArrayXd decay = (-t.abs() / kBreakWidth).exp();
  const ArrayXd bent = t.max(0.0) + kBreakWidth * (1 + decay).log();
  prediction = p[0] - p[1] * (t - bent) - p[2] * bent;
  if (jacobian == nullptr) return;
  const ArrayXd above = (t > 0).select(1 / (1 + decay), decay / (1 + decay));
  jacobian->col(0).setOnes();
  jacobian->col(1) = bent - t;
  jacobian->col(2) = -bent;
  jacobian->col(3) = p[1] * (1 - above) + p[2] * above;
}

BrokenLogLaw::Vector BrokenLogLaw::start(const LogSamples& s, const double* numbers) {
  const double low = s.u.minCoeff();
  const double high = s.u.maxCoeff();
  return {0, 2 * numbers[0] - 0.5, 2 * numbers[1] - 0.5, low + numbers[2] * (high - low)};
}

Law BrokenLogLaw::law(const LogSamples& s, const Vector& p) {
  return {Form::kBroken, {in_y_units(s, p[0]), p[1], p[2], std::exp(p[3] + s.x_mean)}};
}

void SaturatingLogLaw::evaluate(const LogSamples& s, const Vector& p, ArrayXd& prediction, Jacobian* jacobian) {
  const double floor = bounded_exp(p[0]);
  const ArrayXd past = bounded_exp(p[2] * (s.u - p[3]));
  const ArrayXd left = 1 / (1 + past);  // of the range
  const ArrayXd falling = bounded_exp(p[1]) * left;
  const ArrayXd sum = floor + falling;
  prediction = sum.log();
  if (jacobian == nullptr) return;
  const ArrayXd slope = falling * (1 - left) / sum;
  jacobian->col(0) = floor / sum;
  jacobian->col(1) = falling / sum;
  jacobian->col(2) = -slope * (s.u - p[3]);
  jacobian->col(3) = slope * p[2];
}

SaturatingLogLaw::Vector SaturatingLogLaw::start(const LogSamples& s, const double* numbers) {
  const double low = s.u.minCoeff();
  const double high = s.u.maxCoeff();
  const double floor = s.v.minCoeff() + std::log(numbers[0] + 1e-3);
  return {floor, s.v.maxCoeff() + 0.5 * numbers[0], log_spaced(numbers[1], 0.1, 5), low + numbers[2] * (high - low)};
}

Law SaturatingLogLaw::law(const LogSamples& s, const Vector& p) {
  return {Form::kSaturating, {floor_of(s, p[0]), in_y_units(s, p[1]), p[2], std::exp(p[3] + s.x_mean)}};
}

void SurfaceLogLaw::evaluate(const LogSamples& s, const Vector& p, ArrayXd& prediction, Jacobian* jacobian) {
  const double floor = bounded_exp(p[0]);
  const ArrayXd of_size = bounded_exp(p[1] - p[2] * s.u);
  const ArrayXd of_data = bounded_exp(p[3] - p[4] * s.w);
  const ArrayXd sum = floor + of_size + of_data;
  prediction = sum.log();
  if (jacobian == nullptr) return;
  const ArrayXd inverse = 1 / sum;
  jacobian->col(0) = floor * inverse;
  jacobian->col(1) = of_size * inverse;
  jacobian->col(2) = -s.u * jacobian->col(1);
  jacobian->col(3) = of_data * inverse;
  jacobian->col(4) = -s.w * jacobian->col(3);
}

SurfaceLogLaw::Vector SurfaceLogLaw::start(const LogSamples&, const double* numbers) {
  const double floor_share = 0.98 * numbers[2] + 0.01;
  const double size_share = (1 - floor_share) * (0.98 * numbers[3] + 0.01);
  return {std::log(floor_share), std::log(size_share), log_spaced(numbers[0], 0.02, 3),
          std::log(1 - floor_share - size_share), log_spaced(numbers[1], 0.02, 3)};
}

Law SurfaceLogLaw::law(const LogSamples& s, const Vector& p) {
  return {Form::kSurface,
          {floor_of(s, p[0]), std::exp(p[1] + s.y_mean + p[2] * s.x_mean), p[2],
           std::exp(p[3] + s.y_mean + p[4] * s.d_mean), p[4]}};
}

}  // namespace ditscale::analysis
