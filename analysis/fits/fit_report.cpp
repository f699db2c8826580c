#include "analysis/fits/fit_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "analysis/statistics/summary.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

/// Difference of AICc below which two forms are as good as each other (Burnham and Anderson's rule of thumb).
constexpr double kClearDifference = 2.0;
/// Repeats that tell the noise better than the residuals do, and residuals so many times it that are not noise.
constexpr std::size_t kEnoughRepeats = 4;
/// Logarithms of equal scores differ by rounding alone.
constexpr double kRounding = 1e-12;
constexpr double kMisfit = 3;

std::optional<double> leave_one_out_error(const std::vector<Influence>& influences) {
  if (influences.empty()) return std::nullopt;
  std::vector<double> squares;
  for (const Influence& one : influences) {
    if (!one.held_out_square) return std::nullopt;
    squares.push_back(*one.held_out_square);
  }
  return std::sqrt(*mean(squares));
}

/// Profiles are of least squares, whatever the fit's own loss.
std::array<std::optional<Interval>, kMostParameters> profiles(std::span<const FitPoint> points, const LawFit& fit,
                                                              FitOptions options) {
  const LawSearch search(points, options.form);
  if (!options.huber_delta) return search.profile(fit.found);
  options.huber_delta.reset();
  options.num_starts = std::min(num_starts_for(options), 100);
  return search.profile(search.search(search_options(options)));
}

FormReport report_form(const std::vector<FitPoint>& points, Form form, const FitRequest& request) {
  FormReport report;
  report.form = form;
  FitOptions options;
  options.form = form;
  options.huber_delta = request.huber_delta;
  options.num_starts = request.num_starts;
  options.higher_is_better = request.higher_is_better;
  if (const auto why = why_not_fittable(points, form)) {
    report.why_not = *why;
    return report;
  }
  report.fit = fit_law(points, options);
  const Found& found = report.fit->found;
  report.bootstrap = bootstrap_by_run(points, options, found, request.num_resamples, request.seed);
  for (std::size_t i = 0; i < found.law.size(); ++i) {
    report.bootstrap_intervals[i] = report.bootstrap.interval([i](const Law& law) { return law.values[i]; });
  }
  report.profile_intervals = profiles(points, *report.fit, options);
  report.influences = leave_one_out(points, options, found);
  report.leave_one_out_error = leave_one_out_error(report.influences);
  report.held_out = largest_held_out(points, options);
  return report;
}

void set_replicate_noise(FitReport& report) {
  std::map<std::tuple<double, double, std::string>, std::vector<double>> groups;
  for (const FitPoint& point : report.points) {
    groups[{point.x, point.d, point.configuration}].push_back(std::log(point.y));
  }
  double sum = 0;
  for (const auto& [unused, logs] : groups) {
    const double centre = *mean(logs);
    for (const double value : logs) sum += (value - centre) * (value - centre);
    report.replicate_freedom += logs.size() - 1;
  }
  if (report.replicate_freedom > 0) {
    const double noise = std::sqrt(sum / static_cast<double>(report.replicate_freedom));
    report.replicate_noise = noise > kRounding ? noise : 0;
  }
}

/// Repeats of the same training, seed and all, are equal and say nothing.
bool enough_repeats(const FitReport& report) {
  return report.replicate_freedom >= kEnoughRepeats && *report.replicate_noise > 0;
}

std::optional<RunNoise> residual_noise(const FormReport& form) {
  const int freedom = static_cast<int>(form.fit->num_points) - static_cast<int>(form.fit->law().size());
  if (freedom < 1) return std::nullopt;
  return RunNoise{form.fit->rms_log_residual * std::sqrt(static_cast<double>(form.fit->num_points) / freedom), freedom,
                  false};
}

/// The seeds' variance is the noise: residuals far above it are the law's own fault.
void warn_of_misfit(const FitReport& report, FormReport& form) {
  if (!form.fit || !enough_repeats(report)) return;
  const auto noise = residual_noise(form);
  if (!noise || noise->log_deviation < kMisfit * *report.replicate_noise) return;
  form.fit->warnings.push_back(fmt::format(
      "scores lie {:.3g} % from the law while repeats of the same x differ by {:.3g} %: it has the wrong form, or "
      "something but x varies",
      100 * std::expm1(noise->log_deviation), 100 * std::expm1(*report.replicate_noise)));
}

}  // namespace

std::optional<Interval> FormReport::interval_of(const std::string& parameter) const {
  const auto names = facts_of(form).parameters;
  const auto place = static_cast<std::size_t>(std::find(names.begin(), names.end(), parameter) - names.begin());
  if (place == names.size()) return std::nullopt;
  if (bootstrap_intervals[place]) return bootstrap_intervals[place];
  return bootstrap.num_runs == fit->num_points ? profile_intervals[place] : std::nullopt;
}

FitReport make_fit_report(std::vector<FitPoint> points, const FitRequest& request) {
  FitReport report;
  report.points = std::move(points);
  report.huber_delta = request.huber_delta;
  for (const Form form : request.forms) report.forms.push_back(report_form(report.points, form, request));
  const bool any = std::any_of(report.forms.begin(), report.forms.end(), [](const auto& f) { return f.fit; });
  if (!any) throw common::ConfigError(report.forms.front().why_not);
  set_replicate_noise(report);
  for (FormReport& form : report.forms) warn_of_misfit(report, form);
  return report;
}

std::optional<RunNoise> run_noise(const FitReport& report, const FormReport& form) {
  if (!enough_repeats(report)) return residual_noise(form);
  return RunNoise{*report.replicate_noise, static_cast<int>(report.replicate_freedom), true};
}

const FormReport& preferred_form(const FitReport& report) {
  const FormReport* best = nullptr;
  for (const FormReport& form : report.forms) {
    if (!form.fit) continue;
    if (best == nullptr) best = &form;
    const bool comparable = form.fit->aicc && best->fit->aicc;
    if (comparable && *form.fit->aicc < *best->fit->aicc - kClearDifference) best = &form;
  }
  DITSCALE_CHECK(best != nullptr, "a report without a fit");
  return *best;
}

}  // namespace ditscale::analysis
