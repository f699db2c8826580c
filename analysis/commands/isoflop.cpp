#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/correlation_text.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/figures/isoflop_figures.hpp"
#include "analysis/fits/isoflop_report.hpp"
#include "analysis/queries/budget_points.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

struct Options {
  DatabaseOptions database;
  BudgetSource source;
  std::string csv;
  FigureOptions figures;
  int num_resamples = 400;
  std::uint64_t seed = 0;
  bool json = false;
};

common::Json json_of(const IsoflopReport& report, const BudgetPoints& found) {
  common::Json json = to_json(report);
  json["left_out"] = left_out_json(found.left_out);
  return json;
}

IsoflopReport report_of(const Options& options, const BudgetPoints& found) {
  try {
    return make_isoflop_report(found.points, options.num_resamples, options.seed);
  } catch (const common::ConfigError& error) {
    std::string text = fmt::format("{}\n{}", error.what(), left_out_text(found.left_out));
    text.pop_back();  // the last line end
    throw common::ConfigError(text);
  }
}

void run(const Options& options, Surroundings& surroundings) {
  if (higher_is_better(options.source.y)) {
    throw common::UsageError(
        fmt::format("--y {}: higher is better, and isoFLOP looks for the lowest at each budget; --y fid or loss",
                    options.source.y));
  }
  const BudgetPoints found = options.csv.empty() ? budget_points(load_study(options.database.path()), options.source)
                                                 : budget_points_from_csv(options.csv, options.source);
  IsoflopReport report = report_of(options, found);
  report.n_name = found.n_name;
  report.d_name = found.d_name;
  report.y_name = found.y_name;
  report.warnings.insert(report.warnings.end(), found.warnings.begin(), found.warnings.end());
  if (options.figures.wanted()) {
    const common::Json details{{"isoflop", json_of(report, found)}};
    for (const Figure& figure :
         {isoflop_curves(report), optimum_by_compute(report), data_by_compute(report), surface_contours(report)}) {
      if (figure.empty()) continue;
      static_cast<void>(write_figure(figure, options.figures.out, surroundings.provenance, details,
                                     picture_size_from(options.figures.size)));
    }
  }
  surroundings.out << (options.json ? json_of(report, found).dump(2) + "\n"
                                    : to_text(report) + left_out_text(found.left_out));
}

}  // namespace

void add_isoflop_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("isoflop", "best size and data for a compute budget: three approaches");
  options->database.add_to(*command);
  options->source.add_to(*command);
  command->add_option("--csv", options->csv, "read columns of a CSV file instead of a database");
  options->figures.add_to(*command);
  command->add_option("--resamples", options->num_resamples, "bootstrap resamples")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "seed of the bootstrap")->capture_default_str();
  command->add_flag("--json", options->json, "everything in full precision");
  command->footer(
      "Examples:\n"
      "  analysis isoflop --sweep my_isoflop_study --y loss\n"
      "  analysis isoflop --csv runs.csv --n parameters --d tokens --y loss --json");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
