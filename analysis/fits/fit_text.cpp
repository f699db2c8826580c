#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/fits/fit_report.hpp"
#include "analysis/tables/cell_text.hpp"

namespace ditscale::analysis {

namespace {

/// Five significant digits: fewer hide what a flat valley does.
std::string number(double value) { return value == 0 ? "0" : significant(value, 5); }

std::string number(const std::optional<double>& value) { return value ? number(*value) : "-"; }

std::string with_interval(double value, const std::optional<Interval>& interval) {
  if (!interval) return number(value);
  return fmt::format("{}  [{}, {}]", number(value), number(interval->low), number(interval->high));
}

std::string law_text(const FitReport& report, const PowerLaw& law, bool with_floor) {
  return fmt::format("{} = {}{} x^{}", report.y_name, with_floor ? number(law.floor) + " + " : "", number(law.factor),
                     number(-law.exponent));
}

std::string bootstrap_text(const Bootstrap& bootstrap) {
  if (!bootstrap.exponent) {
    return fmt::format("no intervals: {} of {} resamples left too few different x", bootstrap.num_failed,
                       bootstrap.num_resamples);
  }
  return fmt::format("in brackets 95 % by bootstrap over runs ({} resamples, {} not fittable, seed {})",
                     bootstrap.num_resamples, bootstrap.num_failed, bootstrap.seed);
}

/// The run that moves the prediction most when it is left out.
std::string influence_text(const std::vector<Influence>& influences) {
  const Influence* most = nullptr;
  const auto weight = [](const Influence& i) {
    return i.prediction_ratio ? std::abs(std::log(*i.prediction_ratio)) : -1;
  };
  for (const Influence& one : influences) {
    if (one.prediction_ratio && (most == nullptr || weight(one) > weight(*most))) most = &one;
  }
  if (most == nullptr) return "too few points to leave one out";
  return fmt::format("most influential: {}; without it the exponent is {} and the law at the largest x {:.3g} times it",
                     most->label, number(most->exponent), *most->prediction_ratio);
}

std::string form_text(const FitReport& report, const FormReport& form, bool with_floor) {
  std::string text = with_floor ? "with floor\n" : "without floor\n";
  const auto line = [&](const std::string& words) { text += "  " + words + "\n"; };
  if (!form.fit) {
    line("not fitted: " + form.why_not);
    return text;
  }
  const PowerLawFit& fit = *form.fit;
  line(law_text(report, fit.law, with_floor));
  line("exponent  " + with_interval(fit.law.exponent, form.bootstrap.exponent));
  line("factor    " + with_interval(fit.law.factor, form.bootstrap.factor));
  if (with_floor) line("floor     " + with_interval(fit.law.floor, form.bootstrap.floor));
  line(bootstrap_text(form.bootstrap));
  line(fmt::format("R² of log y {}, typical error {:.3g} %, objective {}, AICc {}", number(fit.r_squared),
                   100 * (std::exp(fit.rms_log_residual) - 1), number(fit.objective), number(fit.aicc)));
  line(influence_text(form.influences));
  if (form.largest_x_left_out) {
    line(fmt::format("fitted without the largest x, it predicts {:.3g} times what was measured there",
                     *form.largest_x_left_out));
  }
  for (const double x : report.asked_x) line(fmt::format("at x = {:.6g}: {}", x, number(fit.law.at(x))));
  for (const std::string& warning : fit.warnings) line("warning: " + warning);
  return text;
}

std::string preference_text(const FitReport& report) {
  if (!report.with_floor.fit) return "";
  const auto& with = report.with_floor.fit->aicc;
  const auto& without = report.without_floor.fit->aicc;
  if (!with || !without)
    return "AICc cannot compare the two forms here (6 points or more, no exact fit, no Huber loss)\n";
  return fmt::format("AICc prefers the law {} floor (difference {:.3g}; below 2 they are as good as each other)\n",
                     *with < *without ? "with" : "without", std::abs(*with - *without));
}

std::string range_text(const FitReport& report) {
  const auto [low, high] = std::minmax_element(report.points.begin(), report.points.end(),
                                               [](const auto& a, const auto& b) { return a.x < b.x; });
  std::string text = fmt::format("{} points, x from {:.4g} to {:.4g} ({:.3g}-fold); the law describes this range\n",
                                 report.points.size(), low->x, high->x, high->x / low->x);
  for (const double x : report.asked_x) {
    const double beyond = x > high->x ? x / high->x : x < low->x ? low->x / x : 1;
    if (beyond > 1) text += fmt::format("x = {:.4g} lies {:.3g} times beyond it: an extrapolation\n", x, beyond);
  }
  return text;
}

}  // namespace

std::string to_text(const FitReport& report) {
  return fmt::format("{} against {} (x): y = floor + factor x^-exponent, least squares on log y\n", report.y_name,
                     report.x_name) +
         range_text(report) + form_text(report, report.without_floor, false) +
         form_text(report, report.with_floor, true) + preference_text(report);
}

}  // namespace ditscale::analysis
