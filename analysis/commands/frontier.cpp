#include <cmath>
#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/checks.hpp"
#include "analysis/commands/correlation_text.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/commands/waiting.hpp"
#include "analysis/fits/isoflop_report.hpp"
#include "analysis/queries/budget_points.hpp"
#include "analysis/tables/terminal.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  DatabaseOptions database;
  FormatOptions format;
  BudgetSource source;
  std::string csv;
  std::vector<double> budgets;
};

/// Two budgets per decade over the data.
std::vector<double> natural_budgets(const std::vector<BudgetPoint>& points) {
  const auto [low, high] = std::minmax_element(points.begin(), points.end(),
                                               [](const auto& a, const auto& b) { return a.compute < b.compute; });
  std::vector<double> budgets;
  for (double half = std::ceil(2 * std::log10(low->compute)); half <= 2 * std::log10(high->compute); ++half) {
    budgets.push_back(std::pow(10, half / 2));
  }
  budgets.push_back(high->compute);
  return budgets;
}

/// The best that was measured with no more compute than this.
const BudgetPoint* best_within(const std::vector<BudgetPoint>& points, double budget, bool higher) {
  const BudgetPoint* best = nullptr;
  for (const BudgetPoint& point : points) {
    if (point.compute > budget * (1 + 1e-9)) continue;
    const auto better = [&] { return higher ? point.point.y > best->point.y : point.point.y < best->point.y; };
    if (best == nullptr || better()) best = &point;
  }
  return best;
}

/// Budgets are logarithms: points without compute, or with one that is not finite, have no place among them.
void leave_out_without_compute(BudgetPoints& found, std::ostream& notes) {
  const auto left_out = std::erase_if(
      found.points, [](const BudgetPoint& point) { return !(point.compute > 0 && std::isfinite(point.compute)); });
  if (found.points.empty()) throw common::ConfigError("no point has a compute that is positive and finite");
  if (left_out > 0)
    notes << fmt::format("analysis: points left out, for their compute is not positive and finite: {}\n", left_out);
}

/// The surface's where there is one, else that of isoFLOP parabolas, else the envelope's.
const Approach* trusted(const std::optional<IsoflopReport>& report) {
  if (!report) return nullptr;
  for (const std::size_t i : {2U, 1U, 0U}) {
    if (report->approaches[i].allocation) return &report->approaches[i];
  }
  return nullptr;
}

/// The ends of an interval: for people in one column, for programs in two with full precision.
void add_interval(std::vector<Json>& row, const std::optional<Interval>& interval, bool for_people) {
  if (!for_people) {
    row.push_back(interval ? Json(interval->low) : Json(nullptr));
    row.push_back(interval ? Json(interval->high) : Json(nullptr));
  } else {
    row.push_back(interval ? Json(fmt::format("[{:.3g}, {:.3g}]", interval->low, interval->high)) : Json(nullptr));
  }
}

std::vector<Column> columns_of(const std::string& y_name, bool for_people) {
  using Kind = Column::Kind;
  std::vector<Column> columns{{"budget", Kind::kNumber},
                              {"best measured", Kind::kText, 4, true},
                              {y_name, Kind::kNumber},
                              {"N", Kind::kNumber}};
  for (const std::string name : {"N*", "D*"}) {
    columns.push_back({name + " by law", Kind::kNumber});
    if (for_people) {
      columns.push_back({name + " 95 %"});
    } else {
      columns.insert(columns.end(), {{name + " low 95 %", Kind::kNumber}, {name + " high 95 %", Kind::kNumber}});
    }
  }
  columns.insert(columns.end(), {{"predicted", Kind::kNumber}, {"beyond data", Kind::kNumber, 3}});
  return columns;
}

Table frontier_table(const BudgetPoints& found, const std::vector<double>& budgets,
                     const std::optional<IsoflopReport>& report, bool higher, bool for_people) {
  Table table;
  table.columns = columns_of(found.y_name, for_people);
  double largest = 0;
  for (const BudgetPoint& point : found.points) largest = std::max(largest, point.compute);
  const Approach* approach = trusted(report);
  for (const double budget : budgets) {
    const BudgetPoint* best = best_within(found.points, budget, higher);
    std::vector<Json> row{budget, best ? Json(best->point.label) : Json(nullptr),
                          best ? Json(best->point.y) : Json(nullptr), best ? Json(best->point.x) : Json(nullptr)};
    if (approach != nullptr) {
      const double n = approach->allocation->n_at(budget);
      const double d = approach->allocation->d_at(budget);
      row.push_back(n);
      add_interval(row, approach->n_interval(budget), for_people);
      row.push_back(d);
      add_interval(row, approach->d_interval(budget), for_people);
      row.push_back(report->surface ? Json(report->surface->law().at(n, d)) : Json(nullptr));
    }
    row.resize(table.columns.size() - 1);
    row.push_back(budget > largest * 1.001 ? Json(budget / largest) : Json(nullptr));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Empty, with the reason, where there is none.
std::optional<IsoflopReport> laws_of(const BudgetPoints& found, bool higher, std::string& why_not) {
  if (higher) {
    why_not = fmt::format("of {} higher is better, and N* and D* are where a score is lowest", found.y_name);
    return std::nullopt;
  }
  try {
    const Waiting waiting(fmt::format("fitting laws to {} points", found.points.size()));
    return make_isoflop_report(found.points, 200, 0);
  } catch (const common::ConfigError& error) {
    why_not = error.what();
    return std::nullopt;
  }
}

/// Beside a table for people, else on the side: a program reads the table.
void say_doubts(const BudgetPoints& found, const std::optional<IsoflopReport>& report, std::ostream& to) {
  std::vector<std::string> warnings = found.warnings;
  if (report) warnings.insert(warnings.end(), report->warnings.begin(), report->warnings.end());
  for (const std::string& warning : warnings) to << "warning: " << warning << "\n";
  to << left_out_text(found.left_out);
}

void run(const Options& options, Surroundings& surroundings) {
  BudgetPoints found = options.csv.empty() ? budget_points(load_study(options.database.path()), options.source)
                                           : budget_points_from_csv(options.csv, options.source);
  leave_out_without_compute(found, surroundings.notes);
  const bool higher = higher_is_better(options.source.y);
  std::string why_not;
  const std::optional<IsoflopReport> report = laws_of(found, higher, why_not);
  const std::vector<double> budgets = options.budgets.empty() ? natural_budgets(found.points) : options.budgets;
  const Format format = options.format.chosen();
  const bool for_people = format == Format::kTable || format == Format::kMarkdown;
  surroundings.out << render(frontier_table(found, budgets, report, higher, for_people), format, terminal_width());
  if (!why_not.empty()) surroundings.notes << "analysis: measured points only: " << why_not << "\n";
  const Approach* law = trusted(report);
  if (format == Format::kTable && law != nullptr) surroundings.out << "\nlaw: approach " << law->name << "\n";
  say_doubts(found, report, format == Format::kTable ? surroundings.out : surroundings.notes);
}

}  // namespace

void add_frontier_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("frontier", "the best model for each compute budget, measured and by law");
  options->database.add_to(*command);
  options->format.add_to(*command);
  options->source.add_to(*command);
  command->add_option("--csv", options->csv, "read columns of a CSV file instead of a database");
  command->add_option("--budgets", options->budgets, "training FLOPs, separated by commas [two per decade]")
      ->delimiter(',')
      ->check(above_zero());
  command->footer("Example:\n  analysis frontier --sweep fashion_mnist_demo --y fid --all-points --budgets 1e14,1e15");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
