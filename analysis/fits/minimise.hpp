#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "analysis/fits/log_samples.hpp"

namespace ditscale::analysis {

/// What is minimised: sum over samples of weight · rho(log law - log y), with rho(r) = r²/2 up to `huber_delta` and
/// Huber's straight continuation beyond (the convention of Huber 1964 and Hoffmann et al. 2022).
struct Misfit {
  Eigen::ArrayXd weight;
  double huber_delta = std::numeric_limits<double>::infinity();
};

template <typename L>
struct Minimum {
  typename L::Vector parameters = L::Vector::Zero();
  double objective = std::numeric_limits<double>::infinity();
  /// No step improves it any more.
  bool converged = false;
};

/// Levenberg–Marquardt for small laws under Huber's loss. The damping slides between Newton's matrix, in which samples
/// beyond delta have no curvature (fast at the end), and that of iteratively reweighted least squares, in which they
/// have delta / |r| (safe everywhere). All rules are relative: scaling the weights changes no parameter. One object per
/// thread; it keeps its buffers.
template <typename L>
class Minimiser {
 public:
  using Vector = typename L::Vector;
  using Matrix = Eigen::Matrix<double, L::kSize, L::kSize>;

  /// Both must outlive the minimiser.
  Minimiser(const LogSamples& samples, const Misfit& misfit) : samples_(samples), misfit_(misfit) {
    jacobian_.resize(samples.u.size(), L::kSize);
  }

  /// Parameters held where they are, for profiles; they replace those of the last call.
  void freeze(std::initializer_list<int> parameters) {
    frozen_.fill(false);
    for (const int parameter : parameters) frozen_[static_cast<std::size_t>(parameter)] = true;
  }

  [[nodiscard]] double objective(const Vector& p) {
    L::evaluate(samples_, p, prediction_, nullptr);
    residual_ = prediction_ - samples_.v;
    return total();
  }

  /// At most `num_steps` steps from `from`.
  void improve(Minimum<L>& from, int num_steps) {
    double damping = 1;
    int num_small = 0;
    for (int step = 0; step < num_steps; ++step) {
      linearise(from);
      bool better = false;
      for (int attempt = 0; attempt < kMostAttempts && !better; ++attempt) {
        const Vector next = bounded(from.parameters - direction(from.parameters, damping));
        const double found = objective(next);
        better = found < from.objective;
        damping *= better ? 0.2 : 5;
        if (!better) continue;
        num_small = from.objective - found < kSmallGain * from.objective ? num_small + 1 : 0;
        from = {next, found, false};
      }
      if (!better || num_small >= kManySmall) {
        from.converged = true;
        return;
      }
      damping = std::clamp(damping, kLeastDamping, kMostDamping);
    }
  }

 private:
  static constexpr int kMostAttempts = 12;
  static constexpr int kManySmall = 4;
  static constexpr double kSmallGain = 1e-13;
  static constexpr double kLeastDamping = 1e-9;
  static constexpr double kMostDamping = 1e9;

  [[nodiscard]] double total() const {
    const double delta = misfit_.huber_delta;
    if (std::isinf(delta)) return 0.5 * (misfit_.weight * residual_.square()).sum();
    const Eigen::ArrayXd inner = residual_.abs().min(delta);
    return (misfit_.weight * inner * (residual_.abs() - 0.5 * inner)).sum();
  }

  void linearise(Minimum<L>& from) {
    L::evaluate(samples_, from.parameters, prediction_, &jacobian_);
    residual_ = prediction_ - samples_.v;
    from.objective = total();
    const double delta = misfit_.huber_delta;
    reweighted_ = misfit_.weight;
    if (!std::isinf(delta)) reweighted_ *= delta / residual_.abs().max(delta);
    gradient_ = jacobian_.matrix().transpose() * (reweighted_ * residual_).matrix();
    safe_ = weighted(reweighted_);
    if (std::isinf(delta)) {
      fast_ = safe_;
    } else {
      fast_ = weighted((residual_.abs() <= delta).select(misfit_.weight, 0.0));
    }
  }

  [[nodiscard]] Matrix weighted(const Eigen::ArrayXd& weight) const {
    Matrix result;
    for (int i = 0; i < L::kSize; ++i) {
      const Eigen::ArrayXd column = jacobian_.col(i) * weight;
      for (int j = 0; j <= i; ++j) result(i, j) = result(j, i) = (column * jacobian_.col(j)).sum();
    }
    return result;
  }

  [[nodiscard]] Vector direction(const Vector& p, double damping) const {
    const double mix = std::min(damping, 1.0);
    Matrix matrix = (1 - mix) * fast_ + mix * safe_;
    Vector gradient = gradient_;
    matrix.diagonal() += kMarquardt * damping * safe_.diagonal();
    for (int i = 0; i < L::kSize; ++i) {
      const auto [low, high] = L::bounds(i);
      const bool stuck = (p[i] <= low && gradient[i] > 0) || (p[i] >= high && gradient[i] < 0);
      if (!stuck && !frozen_[static_cast<std::size_t>(i)] && safe_(i, i) > 0) continue;
      matrix.row(i).setZero();
      matrix.col(i).setZero();
      matrix(i, i) = 1;
      gradient[i] = 0;
    }
    // Scaled to ones on the diagonal, so that the factorisation knows no units.
    const Vector scale = matrix.diagonal().cwiseMax(std::numeric_limits<double>::min()).cwiseSqrt().cwiseInverse();
    const Matrix scaled = scale.asDiagonal() * matrix * scale.asDiagonal();
    return scale.cwiseProduct(scaled.ldlt().solve(scale.cwiseProduct(gradient)));
  }
  static constexpr double kMarquardt = 0.01;

  [[nodiscard]] static Vector bounded(Vector p) {
    for (int i = 0; i < L::kSize; ++i) {
      const auto [low, high] = L::bounds(i);
      p[i] = std::clamp(p[i], low, high);
    }
    return p;
  }

  const LogSamples& samples_;
  const Misfit& misfit_;
  std::array<bool, L::kSize> frozen_{};
  Eigen::ArrayXd prediction_, residual_, reweighted_;
  typename L::Jacobian jacobian_;
  Vector gradient_;
  Matrix safe_, fast_;
};

}  // namespace ditscale::analysis
