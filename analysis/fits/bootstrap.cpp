#include "analysis/fits/bootstrap.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/fits/parallel.hpp"
#include "analysis/statistics/random_stream.hpp"
#include "analysis/statistics/student.hpp"
#include "analysis/statistics/summary.hpp"

namespace ditscale::analysis {

namespace {

/// Further starts of a resample: where its optimum lies elsewhere, the law of all points does not lead there.
constexpr int kResampleStarts = 1;
/// Of more runs than this, one moves nothing, and leaving each out would take minutes.
constexpr std::size_t kMostInfluences = 1000;
/// Resamples expected beyond an end of an interval, below which the end is that of all resamples.
constexpr double kFewestBeyond = 1;
/// More resamples than that are not worth their time: more runs are.
constexpr double kManyResamples = 10'000;

SearchOptions near_options(const FitOptions& options) {
  SearchOptions search = search_options(options);
  search.num_starts = options.form == Form::kPower ? 0 : kResampleStarts;
  return search;
}

std::vector<FitPoint> with_weight(std::span<const FitPoint> points, std::span<const double> weights) {
  std::vector<FitPoint> kept;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (weights[i] > 0) kept.push_back(points[i]);
  }
  return kept;
}

/// Whether the points that a weighting keeps can be fitted, without copying their texts.
class Fittable {
 public:
  Fittable(std::span<const FitPoint> points, Form form) : form_(form) {
    for (const FitPoint& point : points) bare_.push_back({point.x, point.y, "", "", point.d});
  }
  [[nodiscard]] bool operator()(std::span<const double> weights) const {
    return !why_not_fittable(with_weight(bare_, weights), form_);
  }

 private:
  std::vector<FitPoint> bare_;
  Form form_;
};

/// The noise of resamples.
class Noise {
 public:
  Noise(const LawSearch& search, const Found& best, std::vector<std::size_t> run_of, std::size_t num_runs)
      : run_of_(std::move(run_of)), num_runs_(num_runs) {
    residuals_ = search.residuals(best, run_of_, pooled() ? 0.5 : 1.0);
    if (!pooled()) return;
    const double centre = *mean(residuals_);
    for (double& residual : residuals_) residual -= centre;
  }

  [[nodiscard]] std::vector<double> drawn(RandomStream random) const {
    std::vector<double> noise(residuals_.size());
    if (pooled()) {
      for (double& one : noise) one = residuals_[random.below(residuals_.size())];
      return noise;
    }
    std::vector<double> factors(num_runs_);
    for (double& factor : factors) factor = webb_number(random);
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = factors[run_of_[i]] * residuals_[i];
    return noise;
  }

 private:
  /// Whether each run has one point.
  [[nodiscard]] bool pooled() const { return run_of_.size() == num_runs_; }
  /// Webb (2023): mean 0, variance 1, and enough different ones for few runs.
  static double webb_number(RandomStream& random) {
    const double size = std::sqrt(0.5 * static_cast<double>(1 + random.below(3)));
    return random.below(2) == 0 ? size : -size;
  }

  std::vector<std::size_t> run_of_;
  std::size_t num_runs_;
  std::vector<double> residuals_;
};

double mean_square(std::span<const FitPoint> points, const std::vector<std::size_t>& run_of, std::size_t run,
                   const Law& law) {
  std::vector<double> squares;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (run_of[i] != run) continue;
    const double residual = std::log(law.at(points[i].x, points[i].d) / points[i].y);
    squares.push_back(residual * residual);
  }
  return *mean(squares);
}

/// Weights that leave the largest budget out.
std::vector<double> weights_without_largest(std::span<const FitPoint> points, bool two_inputs) {
  std::vector<double> budgets;
  for (const FitPoint& point : points) budgets.push_back(two_inputs ? point.x * point.d : point.x);
  const double largest = *std::max_element(budgets.begin(), budgets.end());
  const double limit = two_inputs ? std::min(largest / 1.05, *quantile(budgets, 0.9)) : largest;
  std::vector<double> weights;
  for (const double budget : budgets) weights.push_back(budget < limit ? 1 : 0);
  return weights;
}

}  // namespace

std::optional<double> percentile_level(std::size_t num_runs, std::size_t num_parameters) {
  if (num_runs <= num_parameters) return std::nullopt;
  return normal_cdf(-student_quantile(0.975, static_cast<int>(num_runs - num_parameters)));
}

std::optional<std::string> Bootstrap::why_no_interval() const {
  if (num_resamples == 0) return "no resamples were asked for";
  if (laws.empty() || 2 * num_failed > num_resamples) {
    return fmt::format("{} of {} resamples did not converge", num_failed, num_resamples);
  }
  const std::size_t num_parameters = laws.front().size();
  const auto level = percentile_level(num_runs, num_parameters);
  if (level && *level * static_cast<double>(laws.size()) >= kFewestBeyond) return std::nullopt;
  const std::string runs = fmt::format("{} runs for {} parameters", num_runs, num_parameters);
  if (!level) return runs + " leave no noise to draw from: run more models";
  return fmt::format("{}: beyond either end would lie one resample in {:.2g}, and there are {}: run more models{}",
                     runs, 1 / *level, laws.size(), 1 / *level < kManyResamples ? ", or take more resamples" : "");
}

std::optional<Interval> Bootstrap::interval(const std::function<double(const Law&)>& quantity) const {
  if (why_no_interval()) return std::nullopt;
  const auto level = percentile_level(num_runs, laws.front().size());
  std::vector<double> values;
  for (const Law& law : laws) values.push_back(quantity(law));
  return Interval{*quantile(values, *level), *quantile(values, 1 - *level)};
}

Bootstrap bootstrap_by_run(std::span<const FitPoint> points, const FitOptions& options, const Found& best,
                           int num_resamples, std::uint64_t seed) {
  Bootstrap result;
  result.num_resamples = num_resamples;
  result.seed = seed;
  result.num_runs = runs_of(points).size();
  const LawSearch search(points, options.form);
  const SearchOptions near = near_options(options);
  const Noise noise(search, best, run_numbers(points), result.num_runs);
  std::vector<std::optional<Law>> laws(static_cast<std::size_t>(num_resamples));
  parallel_for(laws.size(), [&] {
    return [&](std::size_t i) {
      const Found found = search.search_with_noise(best, noise.drawn(RandomStream(seed, i)), near, i);
      if (found.converged) laws[i] = found.law;
    };
  });
  for (const auto& law : laws) {
    if (law) result.laws.push_back(*law);
  }
  result.num_failed = num_resamples - static_cast<int>(result.laws.size());
  return result;
}

std::vector<Influence> leave_one_out(std::span<const FitPoint> points, const FitOptions& options, const Found& best) {
  const std::vector<double> xs = xs_of(points);
  const std::vector<double> ds = ds_of(points);
  const double x = *std::max_element(xs.begin(), xs.end());
  const double d = *std::max_element(ds.begin(), ds.end());
  const std::vector<std::size_t> run_of = run_numbers(points);
  const std::vector<std::string> runs = runs_of(points);
  if (runs.size() > kMostInfluences) return {};
  const LawSearch search(points, options.form);
  const Fittable fittable(points, options.form);
  std::vector<Influence> influences(runs.size());
  parallel_for(runs.size(), [&] {
    return [&](std::size_t run) {
      Influence& influence = influences[run];
      influence.run = runs[run];
      std::vector<double> weights(points.size(), 1);
      for (std::size_t i = points.size(); i-- > 0;) {
        if (run_of[i] != run) continue;
        weights[i] = 0;
        influence.label = points[i].label;
      }
      if (!fittable(weights)) return;
      influence.law = search.search_near(best, weights, near_options(options), run).law;
      influence.prediction_ratio = influence.law->at(x, d) / best.law.at(x, d);
      influence.held_out_square = mean_square(points, run_of, run, *influence.law);
    };
  });
  return influences;
}

std::optional<HeldOut> largest_held_out(std::span<const FitPoint> points, const FitOptions& options) {
  const std::vector<double> weights = weights_without_largest(points, facts_of(options.form).two_inputs);
  const std::vector<FitPoint> rest = with_weight(points, weights);
  if (why_not_fittable(rest, options.form)) return std::nullopt;
  FitOptions quick = options;
  quick.num_starts = std::min(num_starts_for(options), 200);
  HeldOut held_out;
  held_out.law = fit_law(rest, quick).law();
  std::vector<double> logs;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (weights[i] > 0) continue;
    held_out.places.push_back(i);
    logs.push_back(std::log(held_out.law.at(points[i].x, points[i].d) / points[i].y));
  }
  held_out.ratio = std::exp(*mean(logs));
  return held_out;
}

}  // namespace ditscale::analysis
