#include <cmath>

#include "analysis/fits/fit_report.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

/// JSON has no infinity: an end that was not reached is null.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json or_null(const std::optional<Interval>& interval) {
  return interval ? Json{number(interval->low), number(interval->high)} : Json(nullptr);
}

Json parameters_of(const Law& law) {
  Json json = Json::object();
  const auto names = facts_of(law.form).parameters;
  for (std::size_t i = 0; i < names.size(); ++i) json[std::string(names[i])] = law.values[i];
  return json;
}

Json intervals_of(Form form, const std::array<std::optional<Interval>, kMostParameters>& intervals) {
  Json json = Json::object();
  const auto names = facts_of(form).parameters;
  for (std::size_t i = 0; i < names.size(); ++i) json[std::string(names[i])] = or_null(intervals[i]);
  return json;
}

Json influences_of(const FormReport& form) {
  Json list = Json::array();
  for (const Influence& one : form.influences) {
    list.push_back({{"run", one.run},
                    {"label", one.label},
                    {"parameters_without", one.law ? parameters_of(*one.law) : Json(nullptr)},
                    {"prediction_at_largest_ratio", or_null(one.prediction_ratio)}});
  }
  return list;
}

Json predictions_of(const FormReport& form, const FitReport& report) {
  Json list = Json::array();
  for (const auto& [x, d] : report.asked) {
    Json one{{"x", x}, {"y", form.fit->law().at(x, d)}};
    if (!report.d_name.empty()) one["d"] = d;
    one["interval_95"] = or_null(form.bootstrap.interval([x = x, d = d](const Law& law) { return law.at(x, d); }));
    list.push_back(std::move(one));
  }
  return list;
}

Json held_out_of(const FormReport& form) {
  if (!form.held_out) return nullptr;
  return {{"num_points", form.held_out->places.size()},
          {"predicted_over_measured", form.held_out->ratio},
          {"parameters", parameters_of(form.held_out->law)}};
}

/// Of a surface: exponents of the best x and d against compute where that goes as x d.
Json allocation_of(const FormReport& form) {
  if (form.form != Form::kSurface) return nullptr;
  const Law& law = form.fit->law();
  return {{"a", size_exponent(law)},
          {"b", data_exponent(law)},
          {"intervals_95",
           {{"a", or_null(form.bootstrap.interval(size_exponent))},
            {"b", or_null(form.bootstrap.interval(data_exponent))}}}};
}

Json form_json(const FormReport& form, const FitReport& report) {
  const FormFacts& facts = facts_of(form.form);
  if (!form.fit) return {{"form", facts.name}, {"fitted", false}, {"reason", form.why_not}};
  const LawFit& fit = *form.fit;
  return {{"form", facts.name},
          {"formula", facts.formula},
          {"fitted", true},
          {"parameters", parameters_of(fit.law())},
          {"objective", fit.found.objective},
          {"objective_is", "sum over points of rho(log law - log y), rho(r) = r^2/2, Huber's beyond delta"},
          {"huber_delta", or_null(report.huber_delta)},
          {"num_starts", fit.found.num_starts},
          {"num_starts_at_optimum", fit.found.num_at_optimum},
          {"intervals_95", intervals_of(form.form, form.bootstrap_intervals)},
          {"bootstrap",
           {{"method", "residuals by run, percentiles expanded by Student's t"},
            {"num_resamples", form.bootstrap.num_resamples},
            {"num_failed", form.bootstrap.num_failed},
            {"reason", or_null(form.bootstrap.why_no_interval())},
            {"seed", form.bootstrap.seed}}},
          {"profile_intervals_95", intervals_of(form.form, form.profile_intervals)},
          {"rms_log_residual", fit.rms_log_residual},
          {"r_squared", or_null(fit.r_squared)},
          {"aicc", or_null(fit.aicc)},
          {"leave_one_out_rms_log_error", or_null(form.leave_one_out_error)},
          {"num_points", fit.num_points},
          {"num_distinct_x", fit.num_distinct_x},
          {"largest_held_out", held_out_of(form)},
          {"leave_one_out", influences_of(form)},
          {"allocation", allocation_of(form)},
          {"predictions", predictions_of(form, report)},
          {"warnings", fit.warnings}};
}

}  // namespace

Json to_json(const FitReport& report) {
  const FormReport& preferred = preferred_form(report);
  // The preferred form stands at the top as well, so that a program that asked for one form reads it there.
  Json json = form_json(preferred, report);
  for (const std::string& warning : report.warnings) json["warnings"].push_back(warning);
  Json points = Json::array();
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    const FitPoint& p = report.points[i];
    Json point{{"label", p.label}, {"run", p.run}, {"x", p.x}, {"y", p.y}};
    if (!report.d_name.empty()) point["d"] = p.d;
    for (const FormReport& form : report.forms) {
      if (form.fit) point[std::string(facts_of(form.form).name)] = form.fit->predicted[i];
    }
    points.push_back(std::move(point));
  }
  Json forms = Json::object();
  for (const FormReport& form : report.forms) forms[std::string(facts_of(form.form).name)] = form_json(form, report);
  json.update({{"x", report.x_name},
               {"y", report.y_name},
               {"points", points},
               {"forms", forms},
               {"preferred", facts_of(preferred.form).name},
               {"replicate_log_noise", or_null(report.replicate_noise)}});
  if (!report.d_name.empty()) json["d"] = report.d_name;
  return json;
}

}  // namespace ditscale::analysis
