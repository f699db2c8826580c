#include "analysis/fits/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/statistics/summary.hpp"

namespace ditscale::analysis {

namespace {

std::vector<FitPoint> without_run(std::span<const FitPoint> points, const std::string& run) {
  std::vector<FitPoint> rest;
  std::copy_if(points.begin(), points.end(), std::back_inserter(rest), [&](const FitPoint& p) { return p.run != run; });
  return rest;
}

/// As many runs as there are, drawn with replacement; a run drawn twice counts twice.
std::vector<FitPoint> resample(std::span<const FitPoint> points, const std::vector<std::string>& runs,
                               std::mt19937_64& random) {
  std::vector<FitPoint> drawn;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    // The modulo's bias is below 1e-15 for any number of runs; std::uniform_int_distribution differs between libraries.
    const std::string& run = runs[random() % runs.size()];
    std::copy_if(points.begin(), points.end(), std::back_inserter(drawn),
                 [&](const FitPoint& p) { return p.run == run; });
  }
  return drawn;
}

std::optional<Interval> interval_of(const std::vector<double>& values) {
  return Interval{*quantile(values, 0.025), *quantile(values, 0.975)};
}

}  // namespace

Bootstrap bootstrap_by_run(std::span<const FitPoint> points, const FitOptions& options, int num_resamples,
                           std::uint64_t seed) {
  Bootstrap result;
  result.num_resamples = num_resamples;
  result.seed = seed;
  const std::vector<std::string> runs = runs_of(points);
  std::mt19937_64 random(seed);
  std::vector<double> exponents;
  std::vector<double> factors;
  std::vector<double> floors;
  for (int i = 0; i < num_resamples; ++i) {
    const std::vector<FitPoint> drawn = resample(points, runs, random);
    if (why_not_fittable(drawn, options.with_floor)) {
      ++result.num_failed;
      continue;
    }
    const PowerLaw law = fit_power_law(drawn, options).law;
    exponents.push_back(law.exponent);
    factors.push_back(law.factor);
    floors.push_back(law.floor);
  }
  if (num_resamples == 0 || 2 * result.num_failed > num_resamples) return result;
  result.exponent = interval_of(exponents);
  result.factor = interval_of(factors);
  if (options.with_floor) result.floor = interval_of(floors);
  return result;
}

std::vector<Influence> leave_one_out(std::span<const FitPoint> points, const FitOptions& options) {
  const std::vector<double> xs = xs_of(points);
  const double largest = *std::max_element(xs.begin(), xs.end());
  const double with_all = fit_power_law(points, options).law.at(largest);
  std::vector<Influence> influences;
  for (const std::string& run : runs_of(points)) {
    const auto own = std::find_if(points.begin(), points.end(), [&](const FitPoint& p) { return p.run == run; });
    Influence influence{run, own->label, std::nullopt, std::nullopt};
    const std::vector<FitPoint> rest = without_run(points, run);
    if (!why_not_fittable(rest, options.with_floor)) {
      const PowerLaw law = fit_power_law(rest, options).law;
      influence.exponent = law.exponent;
      influence.prediction_ratio = law.at(largest) / with_all;
    }
    influences.push_back(std::move(influence));
  }
  return influences;
}

std::optional<double> largest_x_left_out_ratio(std::span<const FitPoint> points, const FitOptions& options) {
  const std::vector<double> xs = xs_of(points);
  const double largest = *std::max_element(xs.begin(), xs.end());
  std::vector<FitPoint> rest;
  std::vector<double> left_out;
  for (const FitPoint& point : points) {
    if (point.x == largest) {
      left_out.push_back(point.y);
    } else {
      rest.push_back(point);
    }
  }
  if (why_not_fittable(rest, options.with_floor)) return std::nullopt;
  return fit_power_law(rest, options).law.at(largest) / *mean(left_out);
}

}  // namespace ditscale::analysis
