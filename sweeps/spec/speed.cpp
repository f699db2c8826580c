#include "sweeps/spec/speed.hpp"

#include <algorithm>
#include <cmath>

namespace ditscale::sweeps {

namespace {

constexpr double kRunSigma = 0.1;
/// ln 3.
constexpr double kRooflineSigma = 1.1;

/// Seconds after the start-up; an attempt that was shorter still took some.
double working_s(const MeasuredRun& run) { return std::max(run.seconds - kStartUp_s, 0.1 * run.seconds); }

/// Logarithms of a speed's two factors.
struct Point {
  double work = 0;
  double launches = 0;
};

/// Normal equations of one Gauss-Newton step; the diagonal never vanishes, thanks to what is known before any run.
Point step_from(const Point& at, std::span<const MeasuredRun> runs) {
  constexpr double kCertainty = 1 / (kRooflineSigma * kRooflineSigma);
  double aa = kCertainty, ab = 0, bb = kCertainty;
  double ar = -kCertainty * at.work, br = -kCertainty * at.launches;
  for (const MeasuredRun& run : runs) {
    const double work_s = std::exp(at.work) * run.roofline.work_s;
    const double launches_s = std::exp(at.launches) * run.roofline.launches_s;
    const double residual = std::log(working_s(run) / (work_s + launches_s));
    const double huber = std::min(1.0, kRunSigma / std::max(std::abs(residual), 1e-12));
    const double weight = huber / (kRunSigma * kRunSigma);
    const double a = work_s / (work_s + launches_s), b = 1 - a;
    aa += weight * a * a;
    ab += weight * a * b;
    bb += weight * b * b;
    ar += weight * a * residual;
    br += weight * b * residual;
  }
  const double determinant = aa * bb - ab * ab;
  return {(ar * bb - br * ab) / determinant, (aa * br - ab * ar) / determinant};
}

}  // namespace

bool Speed::is_like(const Speed& other, double difference) const {
  return gpu_name == other.gpu_name && std::abs(work - other.work) <= difference * other.work &&
         std::abs(launches - other.launches) <= difference * other.launches;
}

double predicted_s(const RooflineTime& roofline, const Speed& speed) {
  return kStartUp_s + speed.work * roofline.work_s + speed.launches * roofline.launches_s;
}

Speed fit_speed(std::span<const MeasuredRun> runs) {
  constexpr int kRounds = 60;
  constexpr double kLongestStep = 1.0;
  Point at;
  for (int round = 0; round < kRounds; ++round) {
    const Point step = step_from(at, runs);
    at.work += std::clamp(step.work, -kLongestStep, kLongestStep);
    at.launches += std::clamp(step.launches, -kLongestStep, kLongestStep);
  }
  return {std::exp(at.work), std::exp(at.launches), runs.empty() ? std::string() : runs.front().gpu_name, runs.size()};
}

}  // namespace ditscale::sweeps
