#include "analysis/figures/fit_figures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ditscale::analysis {

using Kind = Column::Kind;

namespace {

/// More labels than this overlap.
constexpr std::size_t kMostLabels = 20;
/// Places along a law.
constexpr int kPlaces = 60;

/// The law from `low` to `end` and its interval around it; each place is a row. False without an interval.
bool add_law(Figure& figure, const FormReport& form, double low, double end) {
  Series area{"", {}, Series::Look::kArea};
  Series law{"law", {}, Series::Look::kLaw};
  std::vector<FigurePoint> upper;
  for (int i = 0; i <= kPlaces; ++i) {
    const double x = low * std::pow(end / low, static_cast<double>(i) / kPlaces);
    const auto interval = form.bootstrap.interval([x](const Law& one) { return one.at(x); });
    law.points.push_back({x, form.fit->law().at(x), ""});
    figure.table.rows.push_back({law.name, x, law.points.back().y, interval ? common::Json(interval->low) : nullptr,
                                 interval ? common::Json(interval->high) : nullptr});
    if (!interval) continue;
    area.points.push_back({x, interval->low, ""});
    upper.push_back({x, interval->high, ""});
  }
  area.points.insert(area.points.end(), upper.rbegin(), upper.rend());
  const bool has_band = !area.points.empty();
  if (has_band) figure.series.push_back(std::move(area));
  figure.series.push_back(std::move(law));
  return has_band;
}

const std::string& name_of(const FitPoint& point, const RunNames& names) {
  const auto found = names.find(point.run);
  return found == names.end() ? point.label : found->second;
}

/// Where prediction and measurement are equal, below the series, whose labels go where they would overlap.
void add_held_out(Figure& figure, std::vector<Series> list) {
  std::vector<double> all;
  for (const Series& series : list) {
    for (const FigurePoint& p : series.points) all.insert(all.end(), {p.x, p.y});
  }
  if (all.empty()) return;
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  figure.series.push_back({"as measured", {{*low, *low, ""}, {*high, *high, ""}}, Series::Look::kLaw});
  for (Series& series : list) {
    const bool many = series.points.size() > kMostLabels;
    for (FigurePoint& p : series.points) p.label = many ? "" : p.label;
    if (!series.points.empty()) figure.series.push_back(std::move(series));
  }
}

}  // namespace

Figure law_with_band(const FitReport& report, const std::string& name) {
  Figure figure;
  figure.name = name;
  const FormReport& form = preferred_form(report);
  if (facts_of(form.form).two_inputs) return figure;
  const std::vector<double> xs = xs_of(report.points);
  const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
  double end = kBeyondData * *high;
  for (const auto& [x, unused] : report.asked) end = std::max(end, x);
  figure.x = {report.x_name, true, {}, std::pair(*low, *high)};
  figure.y = {report.y_name, false, {}};
  figure.table.columns = {
      {"what"}, {"x", Kind::kNumber}, {"y", Kind::kNumber}, {"low_95", Kind::kNumber}, {"high_95", Kind::kNumber}};
  const bool has_band = add_law(figure, form, *low, end);
  figure.title = fmt::format("{}: law {}{}; shaded: beyond the data", report.y_name, form.fit->law().text(3),
                             has_band ? " with its 95 % band" : "");
  Series runs{"runs", {}, Series::Look::kPoints};
  for (const FitPoint& p : report.points) {
    runs.points.push_back({p.x, p.y, ""});
    figure.table.rows.push_back({p.label, p.x, p.y, nullptr, nullptr});
  }
  figure.series.push_back(std::move(runs));
  return figure;
}

Figure predicted_against_measured(const FitReport& report, const std::string& name, const RunNames& names) {
  const FormReport& form = preferred_form(report);
  Figure figure;
  figure.name = name;
  figure.title = fmt::format("{}: held-out scores as predicted by {}", report.y_name, facts_of(form.form).name);
  figure.x = {"measured " + report.y_name, true, {}};
  figure.y = {"predicted without it", true, {}};
  figure.table.columns = {{"held_out"}, {"label"}, {"measured", Kind::kNumber}, {"predicted", Kind::kNumber}};
  const auto add = [&](Series& series, const FitPoint& p, const Law& law) {
    series.points.push_back({p.y, law.at(p.x, p.d), name_of(p, names)});
    figure.table.rows.push_back({series.name, p.label, p.y, law.at(p.x, p.d)});
  };
  Series runs{"each run", {}, Series::Look::kPoints};
  const std::vector<std::size_t> run_of = run_numbers(report.points);
  for (std::size_t i = 0; i < report.points.size() && !form.influences.empty(); ++i) {
    const auto& without = form.influences[run_of[i]].law;
    if (without) add(runs, report.points[i], *without);
  }
  Series largest{"the largest", {}, Series::Look::kPoints};
  if (form.held_out) {
    for (const std::size_t i : form.held_out->places) add(largest, report.points[i], form.held_out->law);
  }
  add_held_out(figure, {std::move(runs), std::move(largest)});
  return figure;
}

Figure residuals(const FitReport& report, const std::string& name, const RunNames& names) {
  const LawFit& fit = *preferred_form(report).fit;
  Figure figure;
  figure.name = name;
  figure.title = fmt::format("{}: measured over law {}", report.y_name, fit.law().text(3));
  figure.x = {report.x_name, true, {}};
  figure.y = {"measured above the law, %", false, {}};
  figure.table.columns = {{"run"},
                          {"label"},
                          {"x", Kind::kNumber},
                          {"measured", Kind::kNumber},
                          {"law", Kind::kNumber},
                          {"percent", Kind::kNumber}};
  Series points{"runs", {}, Series::Look::kPoints};
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    const FitPoint& p = report.points[i];
    const double percent = 100 * (p.y / fit.predicted[i] - 1);
    points.points.push_back({p.x, percent, name_of(p, names)});
    figure.table.rows.push_back({p.run, p.label, p.x, p.y, fit.predicted[i], percent});
  }
  const std::vector<double> xs = xs_of(report.points);
  const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
  figure.series.push_back({"law", {{*low, 0, ""}, {*high, 0, ""}}, Series::Look::kLaw});
  figure.series.push_back(std::move(points));
  return figure;
}

}  // namespace ditscale::analysis
