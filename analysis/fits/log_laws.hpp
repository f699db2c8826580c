#pragma once

#include <array>
#include <limits>
#include <utility>

#include <Eigen/Core>

#include "analysis/fits/forms.hpp"
#include "analysis/fits/log_samples.hpp"

/// The forms as the minimiser sees them: log y as a function of a few parameters of order 1. Each has
/// - kSize parameters, kForm
/// - evaluate(samples, p, prediction, jacobian): log y at all samples, and its derivatives unless `jacobian` is null
/// - bounds(parameter)
/// - start(numbers): parameters out of kSize - 1 or fewer numbers in [0, 1), over all shapes worth trying
/// - law(samples, p) in the units of the data
/// - kFloor: the parameter that is the logarithm of a floor, or kNone
/// - kProfiled: parameters of `Law` that are parameters here too but for their unit, with their places in both
namespace ditscale::analysis {

using Bounds = std::pair<double, double>;
inline constexpr Bounds kFree{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
inline constexpr Bounds kExponentBounds{kSmallestExponent, kLargestExponent};

inline constexpr int kNone = -1;
/// As a floor's logarithm: no floor.
inline constexpr double kLogOfNoFloor = -700;

/// How a parameter here becomes one of `Law`: as it is, or exp(value + mean log y), or exp(value + mean log x).
enum class Unit { kNumber, kOfY, kOfX };
struct Profiled {
  int in_law;
  int here;
  Unit unit;
};

template <int kParameters>
struct LogLaw {
  static constexpr int kSize = kParameters;
  using Vector = Eigen::Matrix<double, kSize, 1>;
  using Jacobian = Eigen::Array<double, Eigen::Dynamic, kSize>;
};

/// (a, alpha): a - alpha u
struct PowerLogLaw : LogLaw<2> {
  static constexpr Form kForm = Form::kPower;
  static constexpr int kFloor = kNone;
  static constexpr std::array<Profiled, 1> kProfiled{{{1, 1, Unit::kNumber}}};
  static void evaluate(const LogSamples& s, const Vector& p, Eigen::ArrayXd& prediction, Jacobian* jacobian);
  static Bounds bounds(int) { return kFree; }
  static Vector start(const LogSamples& s, const double* numbers);
  static Law law(const LogSamples& s, const Vector& p);
};

/// (a, alpha, e): log(exp(a - alpha u) + exp(e))
struct FloorLogLaw : LogLaw<3> {
  static constexpr Form kForm = Form::kPowerFloor;
  static constexpr int kFloor = 2;
  static constexpr std::array<Profiled, 2> kProfiled{{{0, 2, Unit::kOfY}, {2, 1, Unit::kNumber}}};
  static void evaluate(const LogSamples& s, const Vector& p, Eigen::ArrayXd& prediction, Jacobian* jacobian);
  static Bounds bounds(int parameter) { return parameter == 1 ? kExponentBounds : kFree; }
  static Vector start(const LogSamples& s, const double* numbers);
  static Law law(const LogSamples& s, const Vector& p);
};

/// (a, alpha1, alpha2, c): a - alpha1 t - (alpha2 - alpha1) softplus(t), t = u - c
struct BrokenLogLaw : LogLaw<4> {
  static constexpr Form kForm = Form::kBroken;
  static constexpr int kFloor = kNone;
  static constexpr std::array<Profiled, 3> kProfiled{
      {{1, 1, Unit::kNumber}, {2, 2, Unit::kNumber}, {3, 3, Unit::kOfX}}};
  static void evaluate(const LogSamples& s, const Vector& p, Eigen::ArrayXd& prediction, Jacobian* jacobian);
  static Bounds bounds(int) { return kFree; }
  static Vector start(const LogSamples& s, const double* numbers);
  static Law law(const LogSamples& s, const Vector& p);
};

/// (e, r, alpha, c): log(exp(e) + exp(r) / (1 + exp(alpha (u - c))))
struct SaturatingLogLaw : LogLaw<4> {
  static constexpr Form kForm = Form::kSaturating;
  static constexpr int kFloor = 0;
  static constexpr std::array<Profiled, 4> kProfiled{
      {{0, 0, Unit::kOfY}, {1, 1, Unit::kOfY}, {2, 2, Unit::kNumber}, {3, 3, Unit::kOfX}}};
  static void evaluate(const LogSamples& s, const Vector& p, Eigen::ArrayXd& prediction, Jacobian* jacobian);
  static Bounds bounds(int parameter) { return parameter == 2 ? kExponentBounds : kFree; }
  static Vector start(const LogSamples& s, const double* numbers);
  static Law law(const LogSamples& s, const Vector& p);
};

/// (e, a, alpha, b, beta): log(exp(e) + exp(a - alpha u) + exp(b - beta w))
struct SurfaceLogLaw : LogLaw<5> {
  static constexpr Form kForm = Form::kSurface;
  static constexpr int kFloor = 0;
  static constexpr std::array<Profiled, 3> kProfiled{
      {{0, 0, Unit::kOfY}, {2, 2, Unit::kNumber}, {4, 4, Unit::kNumber}}};
  static void evaluate(const LogSamples& s, const Vector& p, Eigen::ArrayXd& prediction, Jacobian* jacobian);
  static Bounds bounds(int parameter) { return parameter == 2 || parameter == 4 ? kExponentBounds : kFree; }
  static Vector start(const LogSamples& s, const double* numbers);
  static Law law(const LogSamples& s, const Vector& p);
};

}  // namespace ditscale::analysis
