#include "analysis/fits/law_search.hpp"

#include <cmath>

#include "analysis/fits/leverage.hpp"
#include "analysis/fits/log_laws.hpp"
#include "analysis/fits/minimise.hpp"
#include "analysis/fits/parallel.hpp"
#include "analysis/fits/profile_walk.hpp"
#include "analysis/statistics/student.hpp"

namespace ditscale::analysis {

namespace {

/// Steps after which a start is given up; one in a thousand takes more than 100.
constexpr int kMostSteps = 500;
/// A floor that is this small part of a typical y is compared with none.
constexpr double kSmallFloor = 1e-3;
constexpr double kSameObjective = 1e-6;
/// Per point: an objective below this is rounding, the fit is exact.
constexpr double kExact = 1e-20;

/// Number `index` of Halton's sequence in `base`: evenly spread in [0, 1) wherever one stops.
double halton(std::size_t index, std::size_t base) {
  double value = 0;
  double part = 1;
  for (++index; index > 0; index /= base) {
    part /= static_cast<double>(base);
    value += part * static_cast<double>(index % base);
  }
  return value;
}

template <typename L>
typename L::Vector numbered_start(const LogSamples& samples, std::size_t index) {
  constexpr std::array<std::size_t, 4> kBases{2, 3, 5, 7};
  std::array<double, 4> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = halton(index, kBases[i]);
  return L::start(samples, numbers.data());
}

Misfit misfit_of(std::span<const double> weights, const SearchOptions& options) {
  Misfit misfit;
  misfit.weight = Eigen::Map<const Eigen::ArrayXd>(weights.data(), static_cast<Eigen::Index>(weights.size())) *
                  options.objective_scale;
  if (options.huber_delta) misfit.huber_delta = *options.huber_delta;
  return misfit;
}

template <typename L>
Minimum<L> polished(Minimiser<L>& minimiser, const typename L::Vector& start) {
  Minimum<L> minimum;
  minimum.parameters = start;
  minimiser.improve(minimum, kMostSteps);
  return minimum;
}

/// In logarithms "no floor" is never reached: where the floor is small, the law without it is tried, and taken when it
/// is as good.
template <typename L>
void try_without_floor(Minimiser<L>& minimiser, Minimum<L>& best) {
  if constexpr (L::kFloor != kNone) {
    if (std::exp(best.parameters[L::kFloor]) > kSmallFloor) return;
    typename L::Vector start = best.parameters;
    start[L::kFloor] = kLogOfNoFloor;
    minimiser.freeze({L::kFloor});
    const Minimum<L> without = polished(minimiser, start);
    minimiser.freeze({});
    if (without.objective <= best.objective * (1 + 1e-9)) best = without;
  }
}

template <typename L>
Found found_from(const LogSamples& samples, const Minimum<L>& minimum, double scale) {
  Found found;
  found.law = L::law(samples, minimum.parameters);
  found.objective = minimum.objective / scale;
  found.converged = minimum.converged;
  std::copy(minimum.parameters.begin(), minimum.parameters.end(), found.place.begin());
  return found;
}

template <typename L>
typename L::Vector place_of(const Found& found) {
  typename L::Vector place;
  std::copy_n(found.place.begin(), L::kSize, place.begin());
  return place;
}

template <typename L>
Found search_all(const LogSamples& samples, const SearchOptions& options) {
  const std::vector<double> ones(static_cast<std::size_t>(samples.u.size()), 1.0);
  const Misfit misfit = misfit_of(ones, options);
  std::vector<Minimum<L>> minima(static_cast<std::size_t>(options.num_starts));
  parallel_for(minima.size(), [&] {
    return [&, minimiser = std::make_unique<Minimiser<L>>(samples, misfit)](std::size_t i) {
      minima[i] = polished(*minimiser, numbered_start<L>(samples, i));
    };
  });
  const auto lower = [](const auto& a, const auto& b) { return a.objective < b.objective; };
  Minimum<L> best = *std::min_element(minima.begin(), minima.end(), lower);
  const double same = std::max(best.objective * (1 + kSameObjective), kExact * misfit.weight.sum());
  const auto at_optimum =
      std::count_if(minima.begin(), minima.end(), [same](const auto& minimum) { return minimum.objective <= same; });
  Minimiser<L> minimiser(samples, misfit);
  try_without_floor(minimiser, best);
  Found found = found_from<L>(samples, best, options.objective_scale);
  found.num_starts = options.num_starts;
  found.num_at_optimum = static_cast<int>(at_optimum);
  return found;
}

template <typename L>
Found search_from(const LogSamples& samples, const Found& near, std::span<const double> weights,
                  const SearchOptions& options, std::size_t first_start) {
  const Misfit misfit = misfit_of(weights, options);
  Minimiser<L> minimiser(samples, misfit);
  Minimum<L> best = polished(minimiser, place_of<L>(near));
  for (int i = 0; i < options.num_starts; ++i) {
    const Minimum<L> other = polished(minimiser, numbered_start<L>(samples, first_start + static_cast<std::size_t>(i)));
    if (other.objective < best.objective) best = other;
  }
  try_without_floor(minimiser, best);
  return found_from<L>(samples, best, options.objective_scale);
}

template <typename L>
std::vector<double> residuals_of(const LogSamples& samples, const Found& best, std::span<const std::size_t> run_of,
                                 double power) {
  const typename L::Vector place = place_of<L>(best);
  Eigen::ArrayXd prediction;
  typename L::Jacobian jacobian(samples.u.size(), L::kSize);
  L::evaluate(samples, place, prediction, &jacobian);
  for (int i = 0; i < L::kSize; ++i) {
    const auto [low, high] = L::bounds(i);
    if (place[i] <= low || place[i] >= high) jacobian.col(i).setZero();  // no point moves it
  }
  return corrected_residuals(jacobian.matrix(), (samples.v - prediction).matrix(), run_of, power);
}

template <typename L>
Found search_noisy(const LogSamples& samples, const Found& near, std::span<const double> noise,
                   const SearchOptions& options, std::size_t first_start) {
  LogSamples noisy = samples;
  L::evaluate(samples, place_of<L>(near), noisy.v, nullptr);
  noisy.v += Eigen::Map<const Eigen::ArrayXd>(noise.data(), noisy.v.size());
  return search_from<L>(noisy, near, std::vector<double>(noise.size(), 1.0), options, first_start);
}

template <typename L>
std::array<std::optional<Interval>, kMostParameters> profile_all(const LogSamples& samples, const Found& best) {
  std::array<std::optional<Interval>, kMostParameters> intervals{};
  const auto freedom = static_cast<double>(samples.u.size() - L::kSize);
  if (freedom <= 0 || best.objective < kExact * static_cast<double>(samples.u.size())) return intervals;
  const double t = student_quantile(0.975, static_cast<int>(freedom));
  const double limit = best.objective * (1 + t * t / freedom);
  const Misfit misfit{Eigen::ArrayXd::Ones(samples.u.size())};
  Minimiser<L> minimiser(samples, misfit);
  ProfileWalk<L> walk(minimiser, samples, place_of<L>(best), limit);
  for (const Profiled& one : L::kProfiled) {
    const Interval place = walk.interval(one.here);
    const double mean = one.unit == Unit::kOfY ? samples.y_mean : one.unit == Unit::kOfX ? samples.x_mean : 0;
    const auto in_law = [&](double value) { return one.unit == Unit::kNumber ? value : std::exp(value + mean); };
    intervals[static_cast<std::size_t>(one.in_law)] = Interval{in_law(place.low), in_law(place.high)};
  }
  return intervals;
}

/// Calls `work` with the form's type.
template <typename Work>
auto with_law(Form form, const Work& work) {
  switch (form) {
    case Form::kPower:
      return work(PowerLogLaw{});
    case Form::kPowerFloor:
      return work(FloorLogLaw{});
    case Form::kBroken:
      return work(BrokenLogLaw{});
    case Form::kSaturating:
      return work(SaturatingLogLaw{});
    case Form::kSurface:
      break;
  }
  return work(SurfaceLogLaw{});
}

}  // namespace

struct LawSearch::Impl {
  LogSamples samples;
  Form form;
};

LawSearch::LawSearch(std::span<const FitPoint> points, Form form)
    : impl_(std::make_unique<Impl>(Impl{log_samples(points), form})) {}
LawSearch::~LawSearch() = default;
LawSearch::LawSearch(LawSearch&&) noexcept = default;

Found LawSearch::search(const SearchOptions& options) const {
  return with_law(impl_->form, [&](auto law) { return search_all<decltype(law)>(impl_->samples, options); });
}

Found LawSearch::search_near(const Found& near, std::span<const double> weights, const SearchOptions& options,
                             std::size_t first_start) const {
  return with_law(impl_->form, [&](auto law) {
    return search_from<decltype(law)>(impl_->samples, near, weights, options, first_start);
  });
}

std::vector<double> LawSearch::residuals(const Found& best, std::span<const std::size_t> run_of, double power) const {
  return with_law(impl_->form,
                  [&](auto law) { return residuals_of<decltype(law)>(impl_->samples, best, run_of, power); });
}

Found LawSearch::search_with_noise(const Found& near, std::span<const double> noise, const SearchOptions& options,
                                   std::size_t first_start) const {
  return with_law(impl_->form, [&](auto law) {
    return search_noisy<decltype(law)>(impl_->samples, near, noise, options, first_start);
  });
}

std::array<std::optional<Interval>, kMostParameters> LawSearch::profile(const Found& best) const {
  return with_law(impl_->form, [&](auto law) { return profile_all<decltype(law)>(impl_->samples, best); });
}

}  // namespace ditscale::analysis
