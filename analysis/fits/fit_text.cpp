#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/fits/fit_report.hpp"
#include "analysis/tables/cell_text.hpp"

namespace ditscale::analysis {

namespace {

/// Five significant digits: fewer hide what a flat valley does.
std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "no upper end" : "no lower end";
  return value == 0 ? "0" : significant(value, 5);
}

std::string number(const std::optional<double>& value) { return value ? number(*value) : "-"; }

std::string text_of(const std::optional<Interval>& interval) {
  return interval ? fmt::format("[{}, {}]", number(interval->low), number(interval->high)) : "-";
}

std::string parameter_line(const FormReport& form, std::size_t i) {
  std::string text = fmt::format("{:<7} {:<12} ", facts_of(form.form).parameters[i], number(form.fit->law().values[i]));
  const auto& profile = form.profile_intervals[i];
  if (!form.bootstrap_intervals[i] && profile) return text + "by profile " + text_of(profile);
  return text + text_of(form.bootstrap_intervals[i]) + (profile ? "; by profile " + text_of(profile) : "");
}

std::string bootstrap_text(const FormReport& form) {
  const Bootstrap& bootstrap = form.bootstrap;
  if (const auto why = bootstrap.why_no_interval()) {
    const bool several = bootstrap.num_runs < form.fit->num_points;
    return "no intervals by bootstrap: " + *why +
           (several ? "; by profile they take the points of a run for independent and are too narrow" : "");
  }
  return fmt::format("in brackets 95 % by bootstrap over runs ({} resamples, {} did not converge, seed {})",
                     bootstrap.num_resamples, bootstrap.num_failed, bootstrap.seed);
}

/// The run that moves the prediction most when it is left out.
std::string influence_text(const FormReport& form) {
  const Influence* most = nullptr;
  const auto weight = [](const Influence& i) { return std::abs(std::log(*i.prediction_ratio)); };
  for (const Influence& one : form.influences) {
    if (one.prediction_ratio && (most == nullptr || weight(one) > weight(*most))) most = &one;
  }
  if (form.influences.empty()) return "too many runs for one of them to matter: none was left out";
  if (most == nullptr) return "too few points to leave one out";
  return fmt::format("most influential: {}; without it y = {}, {:.4g} times the law at the largest x", most->label,
                     most->law->text(5), *most->prediction_ratio);
}

/// What the surface says about sizes and data at equal compute.
std::string allocation_text(const FormReport& form) {
  const auto text = [&](double (*exponent)(const Law&)) {
    return fmt::format("{} {}", number(exponent(form.fit->law())), text_of(form.bootstrap.interval(exponent)));
  };
  return fmt::format("where compute goes as x d, the best x grows as C^{}, the best d as C^{}", text(size_exponent),
                     text(data_exponent));
}

std::string form_text(const FitReport& report, const FormReport& form) {
  std::string text = fmt::format("{}: {}\n", facts_of(form.form).name, facts_of(form.form).formula);
  const auto line = [&](const std::string& words) { text += "  " + words + "\n"; };
  if (!form.fit) {
    line("not fitted: " + form.why_not);
    return text;
  }
  const LawFit& fit = *form.fit;
  line(fmt::format("{} = {}", report.y_name, fit.law().text(5)));
  for (std::size_t i = 0; i < fit.law().size(); ++i) line(parameter_line(form, i));
  line(bootstrap_text(form));
  const std::string without_one =
      form.leave_one_out_error ? fmt::format(", leaving one out {:.3g} %", 100 * std::expm1(*form.leave_one_out_error))
                               : "";
  line(fmt::format("R² of log y {}, typical error {:.3g} %{}, AICc {}", number(fit.r_squared),
                   100 * std::expm1(fit.rms_log_residual), without_one, number(fit.aicc)));
  line(fmt::format("objective {} ({} of {} starts ended there)", significant(fit.found.objective, 8),
                   fit.found.num_at_optimum, fit.found.num_starts));
  line(influence_text(form));
  if (form.held_out) {
    line(fmt::format("fitted without the largest {} ({} points), it predicts {:.4g} times what was measured there",
                     report.d_name.empty() ? "x" : "budget", form.held_out->places.size(), form.held_out->ratio));
  }
  if (form.form == Form::kSurface) line(allocation_text(form));
  for (const auto& [x, d] : report.asked) {
    const auto interval = form.bootstrap.interval([x = x, d = d](const Law& law) { return law.at(x, d); });
    const std::string at_d = report.d_name.empty() ? "" : fmt::format(", d = {:.6g}", d);
    line(fmt::format("at x = {:.6g}{}: {} {}", x, at_d, number(fit.law().at(x, d)), text_of(interval)));
  }
  for (const std::string& warning : fit.warnings) line("warning: " + warning);
  return text;
}

std::string preference_text(const FitReport& report) {
  if (report.forms.size() < 2) return "";
  std::string text;
  for (const FormReport& form : report.forms) {
    if (form.fit) text += fmt::format(" {} {}", facts_of(form.form).name, number(form.fit->aicc));
  }
  return fmt::format("AICc (smaller is better; a difference below 2 says nothing):{}; taken: {}\n", text,
                     facts_of(preferred_form(report).form).name);
}

std::string range_line(std::span<const FitPoint> points, double FitPoint::*member, const std::string& what) {
  const auto [low, high] = std::minmax_element(
      points.begin(), points.end(), [member](const auto& a, const auto& b) { return a.*member < b.*member; });
  const double from = (*low).*member;
  const double to = (*high).*member;
  return fmt::format("{} from {:.4g} to {:.4g} ({:.3g}-fold)", what, from, to, to / from);
}

std::string range_text(const FitReport& report) {
  std::string text = fmt::format("{} points, {}", report.points.size(), range_line(report.points, &FitPoint::x, "x"));
  if (!report.d_name.empty()) text += ", " + range_line(report.points, &FitPoint::d, "d");
  text += "; the law describes this range\n";
  const std::vector<double> xs = xs_of(report.points);
  const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
  for (const auto& [x, unused] : report.asked) {
    const double beyond = x > *high ? x / *high : x < *low ? *low / x : 1;
    if (beyond > 1) text += fmt::format("x = {:.4g} lies {:.3g} times beyond it: an extrapolation\n", x, beyond);
  }
  if (report.replicate_noise) {
    text += fmt::format("repeats of the same x differ by {:.3g} % (standard deviation)\n",
                        100 * std::expm1(*report.replicate_noise));
  }
  return text;
}

}  // namespace

std::string to_text(const FitReport& report) {
  const std::string loss =
      report.huber_delta ? fmt::format("Huber's loss (delta {})", *report.huber_delta) : std::string("least squares");
  const std::string d = report.d_name.empty() ? "" : fmt::format(" and {} (d)", report.d_name);
  std::string text =
      fmt::format("{} against {} (x){}: {} on log y\n", report.y_name, report.x_name, d, loss) + range_text(report);
  for (const FormReport& form : report.forms) text += form_text(report, form);
  text += preference_text(report);
  for (const std::string& warning : report.warnings) text += "warning: " + warning + "\n";
  return text;
}

}  // namespace ditscale::analysis
