#include "analysis/fits/fit_report.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

/// Difference of AICc below which two forms are as good as each other (Burnham and Anderson's rule of thumb).
constexpr double kClearDifference = 2.0;

FormReport report_form(const std::vector<FitPoint>& points, bool with_floor, const FitRequest& request) {
  FormReport form;
  FitOptions options;
  options.with_floor = with_floor;
  options.huber_delta = request.huber_delta;
  if (const auto why = why_not_fittable(points, with_floor)) {
    form.why_not = *why;
    return form;
  }
  form.fit = fit_power_law(points, options);
  form.bootstrap = bootstrap_by_run(points, options, request.num_resamples, request.seed);
  form.influences = leave_one_out(points, options);
  form.largest_x_left_out = largest_x_left_out_ratio(points, options);
  return form;
}

Json to_json(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json to_json(const std::optional<Interval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json(nullptr);
}

Json to_json(const FormReport& form, const FitReport& report) {
  if (!form.fit) return {{"fitted", false}, {"reason", form.why_not}};
  const PowerLawFit& fit = *form.fit;
  Json influences = Json::array();
  for (const Influence& i : form.influences) {
    influences.push_back({{"run", i.run},
                          {"label", i.label},
                          {"exponent_without", to_json(i.exponent)},
                          {"prediction_at_largest_x_ratio", to_json(i.prediction_ratio)}});
  }
  Json predictions = Json::array();
  for (const double x : report.asked_x) predictions.push_back({{"x", x}, {"y", fit.law.at(x)}});
  return {{"fitted", true},
          {"floor", fit.law.floor},
          {"factor", fit.law.factor},
          {"exponent", fit.law.exponent},
          {"objective", fit.objective},
          {"rms_log_residual", fit.rms_log_residual},
          {"r_squared", to_json(fit.r_squared)},
          {"aicc", to_json(fit.aicc)},
          {"num_points", fit.num_points},
          {"num_distinct_x", fit.num_distinct_x},
          {"intervals_95",
           {{"method", "percentile bootstrap by run"},
            {"num_resamples", form.bootstrap.num_resamples},
            {"num_failed", form.bootstrap.num_failed},
            {"seed", form.bootstrap.seed},
            {"exponent", to_json(form.bootstrap.exponent)},
            {"factor", to_json(form.bootstrap.factor)},
            {"floor", to_json(form.bootstrap.floor)}}},
          {"leave_one_out", influences},
          {"largest_x_left_out_predicted_over_measured", to_json(form.largest_x_left_out)},
          {"predictions", predictions},
          {"warnings", fit.warnings}};
}

}  // namespace

FitReport make_fit_report(std::vector<FitPoint> points, const FitRequest& request) {
  FitReport report;
  report.points = std::move(points);
  report.without_floor = report_form(report.points, false, request);
  if (!report.without_floor.fit) throw common::ConfigError(report.without_floor.why_not);
  report.with_floor = report_form(report.points, true, request);
  return report;
}

bool prefers_floor(const FitReport& report) {
  if (!report.with_floor.fit || !report.with_floor.fit->aicc || !report.without_floor.fit->aicc) return false;
  return *report.with_floor.fit->aicc < *report.without_floor.fit->aicc - kClearDifference;
}

Json to_json(const FitReport& report) {
  Json points = Json::array();
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    const FitPoint& p = report.points[i];
    Json point{{"label", p.label}, {"run", p.run}, {"x", p.x}, {"y", p.y}};
    point["without_floor"] = report.without_floor.fit->predicted[i];
    if (report.with_floor.fit) point["with_floor"] = report.with_floor.fit->predicted[i];
    points.push_back(std::move(point));
  }
  return {{"law", "y = floor + factor * x^-exponent, least squares on log y"},
          {"x", report.x_name},
          {"y", report.y_name},
          {"points", points},
          {"without_floor", to_json(report.without_floor, report)},
          {"with_floor", to_json(report.with_floor, report)},
          {"preferred", prefers_floor(report) ? "with_floor" : "without_floor"}};
}

}  // namespace ditscale::analysis
