#include <cmath>

#include <fmt/format.h>

#include "analysis/fits/isoflop_report.hpp"
#include "analysis/tables/table.hpp"

namespace ditscale::analysis {

using common::Json;
using Kind = Column::Kind;

namespace {

Json or_null(const std::optional<Interval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json(nullptr);
}

std::string bracket(const std::optional<Interval>& interval) {
  return interval ? fmt::format("[{:.4f}, {:.4f}]", interval->low, interval->high) : "";
}

Table minima_table(const IsoflopReport& report) {
  Table table;
  table.columns = {{"budget", Kind::kNumber}, {"sizes", Kind::kInteger},    {"N*", Kind::kNumber},
                   {"D*", Kind::kNumber},     {"lowest", Kind::kNumber, 6}, {"dropped"}};
  for (const BudgetMinimum& one : report.minima) {
    const bool used = one.why_dropped.empty();
    table.rows.push_back({one.compute, one.num_sizes, used ? Json(one.n) : Json(nullptr),
                          used ? Json(one.d) : Json(nullptr), used ? Json(one.y) : Json(nullptr),
                          used ? Json(nullptr) : Json(one.why_dropped)});
  }
  return table;
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Table approach_table(const IsoflopReport& report) {
  Table table;
  table.columns = {{"approach"},
                   {"N* ~ C^a", Kind::kNumber, 5},
                   {"95 %"},
                   {"without the largest budget", Kind::kNumber, 5},
                   {"D* ~ C^b", Kind::kNumber, 5},
                   {"95 %"},
                   {"why not"}};
  for (const Approach& one : report.approaches) {
    const auto& found = one.allocation;
    table.rows.push_back({one.name, found ? Json(found->a) : Json(nullptr), bracket(one.a),
                          or_null(one.a_without_largest), found ? Json(found->b) : Json(nullptr), bracket(one.b),
                          one.why_not.empty() ? Json(nullptr) : Json(one.why_not)});
  }
  return table;
}

/// N* and D* with their bands, at the largest budget and beyond.
Table optimum_table(const IsoflopReport& report) {
  Table table;
  table.columns = {{"approach"}, {"budget", Kind::kNumber}, {"N*", Kind::kNumber},
                   {"95 %"},     {"D*", Kind::kNumber},     {"95 %"}};
  const auto wide = [](const std::optional<Interval>& interval) {
    return interval ? fmt::format("[{:.4g}, {:.4g}]", interval->low, interval->high) : "";
  };
  const double largest = report.minima.back().compute;
  for (const Approach& one : report.approaches) {
    if (!one.allocation) continue;
    for (const double compute : {largest, kBeyondBudgets * largest}) {
      table.rows.push_back({one.name, compute, one.allocation->n_at(compute), wide(one.n_interval(compute)),
                            one.allocation->d_at(compute), wide(one.d_interval(compute))});
    }
  }
  return table;
}

/// At each budget, and beyond the largest.
Json bands_json(const IsoflopReport& report, const Approach& approach) {
  std::vector<double> computes;
  for (const BudgetMinimum& one : report.minima) computes.push_back(one.compute);
  computes.push_back(kBeyondBudgets * report.minima.back().compute);
  Json bands = Json::array();
  for (const double compute : computes) {
    bands.push_back({{"compute", compute},
                     {"n", approach.allocation->n_at(compute)},
                     {"n_interval_95", or_null(approach.n_interval(compute))},
                     {"d", approach.allocation->d_at(compute)},
                     {"d_interval_95", or_null(approach.d_interval(compute))}});
  }
  return bands;
}

Json approach_json(const IsoflopReport& report, const Approach& one) {
  if (!one.allocation) return {{"approach", one.name}, {"fitted", false}, {"reason", one.why_not}};
  return {{"approach", one.name},
          {"fitted", true},
          {"a", one.allocation->a},
          {"b", one.allocation->b},
          {"n_factor", one.allocation->n_factor},
          {"d_factor", one.allocation->d_factor},
          {"intervals_95", {{"a", or_null(one.a)}, {"b", or_null(one.b)}}},
          {"a_without_largest_budget", or_null(one.a_without_largest)},
          {"optima", bands_json(report, one)},
          {"num_failed", one.num_failed}};
}

Json minimum_json(const BudgetMinimum& one) {
  Json json{{"compute", one.compute}, {"num_sizes", one.num_sizes}, {"used", one.why_dropped.empty()}};
  if (one.why_dropped.empty()) {
    json.update({{"n", one.n}, {"d", one.d}, {"y", one.y}, {"curvature", one.curvature}});
  } else {
    json["reason"] = one.why_dropped;
  }
  return json;
}

}  // namespace

std::string to_text(const IsoflopReport& report) {
  std::string text = fmt::format("{} by size N = {} and data D = {}: {} points, {} budgets\n\n", report.y_name,
                                 report.n_name, report.d_name, report.points.size(), report.minima.size());
  text += to_text(minima_table(report)) + "\n" + to_text(approach_table(report)) + "\n" +
          to_text(optimum_table(report)) + "\n";
  if (report.surface) text += "surface: " + report.surface->law().text(5) + "\n";
  if (report.bias) {
    text += fmt::format("bias of approach 2 on that surface: exponent {:+.4f}, N* {:.4g} times\n",
                        report.bias->exponent, report.bias->n_ratio);
  }
  for (const std::string& warning : report.warnings) text += "warning: " + warning + "\n";
  return text;
}

Json to_json(const IsoflopReport& report) {
  Json budgets = Json::array();
  for (const BudgetMinimum& one : report.minima) budgets.push_back(minimum_json(one));
  Json approaches = Json::array();
  for (const Approach& one : report.approaches) approaches.push_back(approach_json(report, one));
  Json json{{"n", report.n_name},
            {"d", report.d_name},
            {"y", report.y_name},
            {"num_points", report.points.size()},
            {"budgets", budgets},
            {"approaches", approaches},
            {"num_resamples", report.num_resamples},
            {"seed", report.seed},
            {"warnings", report.warnings}};
  // The isoFLOP approach's own exponents stand at the top as well.
  if (const auto& own = report.approaches[1].allocation) {
    json["a"] = own->a;
    json["b"] = own->b;
  }
  if (report.surface) {
    const auto names = facts_of(Form::kSurface).parameters;
    for (std::size_t i = 0; i < names.size(); ++i) {
      json["surface"][std::string(names[i])] = report.surface->law().values[i];
    }
    json["surface"]["objective"] = report.surface->found.objective;
  }
  if (report.bias) {
    json["bias_of_isoflop"] = {{"exponent", report.bias->exponent},
                               {"n_ratio_at_largest", report.bias->n_ratio},
                               {"n_ratio_at_hundred_times", report.bias->n_ratio_beyond}};
  }
  return json;
}

}  // namespace ditscale::analysis
