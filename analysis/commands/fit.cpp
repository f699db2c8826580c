#include <algorithm>
#include <cmath>
#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/checks.hpp"
#include "analysis/commands/correlation_text.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/figures/fit_figures.hpp"
#include "analysis/fits/fit_report.hpp"
#include "analysis/queries/csv_points.hpp"
#include "analysis/queries/rows.hpp"
#include "analysis/queries/score_points.hpp"
#include "analysis/queries/seeds.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/queries/tuning.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  DatabaseOptions database;
  std::vector<std::string> forms;
  std::string x;
  std::string d;
  std::string y = "fid";
  std::string settings;
  std::string points = "final";
  std::string where;
  std::string csv;
  std::optional<double> huber;
  FitRequest fit;
  std::vector<double> at;
  std::vector<double> at_d;
  FigureOptions figures;
  bool json = false;
};

/// What is fitted, with what is said about it besides the fit.
struct Material {
  std::vector<FitPoint> points;
  RunNames names;
  std::string x_name;
  std::string y_label;
  std::vector<Correlation> correlations;
  std::vector<LeftOut> left_out;
  std::vector<SeedGroup> seeds;
  std::vector<std::string> warnings;
  Json origin;
};

Material from_csv(const Options& options) {
  Material material;
  std::size_t num_skipped = 0;
  material.points = read_csv_points(options.csv, {options.x, options.y, options.d, ""}, num_skipped);
  material.x_name = options.x;
  material.y_label = options.y;
  material.origin = {{"csv", options.csv}, {"rows_skipped", num_skipped}};
  if (num_skipped > 0) {
    material.warnings.push_back(
        fmt::format("{} rows without a number in one of the columns were left out", num_skipped));
  }
  return material;
}

/// Over size where all points are of trainings of the same length, unless `options` says.
XQuantity x_of_points(const Options& options, const ScorePoints& scores) {
  return options.x.empty() ? natural_x(scores.final) : x_quantity_from(options.x);
}

Material from_database(const Options& options) {
  const Study study = study_where(load_study(options.database.path()), options.where, options.settings);
  Material material;
  material.origin = {{"database", study.database.string()}, {"sweep", study.name}};
  if (!options.where.empty()) material.origin["where"] = options.where;
  ScorePoints scores;
  if (is_loss(options.y)) {
    scores = loss_points(study, options.y, options.points == "all");
    material.y_label = options.y;
  } else {
    const results::SettingsRow settings = choose_settings(study, options.y, options.settings);
    scores = score_points(study, options.y, settings.id);
    material.y_label = score_label(options.y, settings);
    material.origin["settings_id"] = settings.id;
    material.origin["settings"] = settings.document;
  }
  const bool all = options.points == "all";
  const XQuantity x = x_of_points(options, scores);
  material.x_name = to_name(x);
  material.left_out = all ? left_out_of_all(scores) : scores.left_out;
  const std::size_t num_shared = all ? count_shared_points_once(scores) : 0;
  material.points = fit_points(all ? scores.all : scores.final, x);
  material.names = run_names(all ? scores.all : scores.final);
  material.correlations = correlations(scores.final);
  material.seeds = seed_groups(scores.final);
  material.warnings = tuning_warnings(scores.final, options.y, scores.diverged);
  for (std::string& warning : mixed_warnings(scores.final)) material.warnings.push_back(std::move(warning));
  for (std::string& warning : foreign_warnings(scores.final)) material.warnings.push_back(std::move(warning));
  if (all) material.warnings.push_back(unfinished_warning(scores));
  if (num_shared > 0) material.warnings.push_back(shared_warning(num_shared));
  if (options.d.empty()) {  // a surface takes the length in
    for (std::string& warning : length_warnings(scores.final, x)) material.warnings.push_back(std::move(warning));
  }
  return material;
}

/// Fills in what depends on other options, and refuses what does not go together.
void complete(Options& options) {
  if (!options.forms.empty()) options.fit.forms.clear();
  for (const std::string& name : options.forms) options.fit.forms.push_back(form_from(name));
  const auto two = std::count_if(options.fit.forms.begin(), options.fit.forms.end(),
                                 [](Form form) { return facts_of(form).two_inputs; });
  const bool surface = two > 0;
  if (surface && options.fit.forms.size() > 1) {
    throw common::UsageError("--form surface has a second input and stands alone; fit other forms with another call");
  }
  if (!surface && !options.d.empty()) throw common::UsageError("--d is the second input of --form surface");
  if (options.x.empty() && surface) options.x = "parameters";
  if (options.x.empty() && !options.csv.empty()) options.x = "forward_macs";
  if (options.x.empty() && options.points == "all") options.x = "training_flops";
  if (surface && options.d.empty()) options.d = "images";
  if (!options.where.empty() && !options.csv.empty()) {
    throw common::UsageError("--where chooses trials of a database; of a CSV file every row is taken");
  }
  options.fit.higher_is_better = higher_is_better(options.y);
  options.fit.huber_delta = options.huber ? options.huber : surface ? std::optional(1e-3) : std::nullopt;
  if (options.fit.huber_delta && std::isinf(*options.fit.huber_delta)) options.fit.huber_delta.reset();
  if (surface ? options.at.size() != options.at_d.size() : !options.at_d.empty()) {
    throw common::UsageError("--at-d belongs to --form surface: one for each --at");
  }
  if (surface && options.csv.empty() && options.d != "images") {
    throw common::UsageError(fmt::format("--d {}: not known; of a database it is images", options.d));
  }
}

void check_points(const Options& options) {
  if (options.points != "final" && options.points != "all") {
    throw common::UsageError(fmt::format("--points {}: not known; allowed: final, all", options.points));
  }
  if (options.points == "all" && options.x != "training_flops" && options.d.empty()) {
    throw common::UsageError("--points all needs --x training_flops: a model's size is the same at all its steps");
  }
}

std::vector<std::filesystem::path> draw(const FitReport& report, const Options& options, const Material& material,
                                        const Provenance& provenance) {
  std::vector<std::filesystem::path> files;
  if (!options.figures.wanted()) return files;
  const Json details{{"source", material.origin}, {"fit", to_json(report)}};
  for (const Figure& figure : {law_with_band(report, "fit"), residuals(report, "residuals", material.names),
                               predicted_against_measured(report, "held_out", material.names)}) {
    if (figure.empty()) continue;
    const auto written =
        write_figure(figure, options.figures.out, provenance, details, picture_size_from(options.figures.size));
    files.insert(files.end(), written.begin(), written.end());
  }
  return files;
}

FitReport report_of(const Options& options, const Material& material) {
  try {
    return make_fit_report(material.points, options.fit);
  } catch (const common::ConfigError& error) {
    std::string text = fmt::format("no fit of {}: {}\n", material.y_label, error.what());
    for (const std::string& warning : material.warnings) text += warning + "\n";
    text += left_out_text(material.left_out);
    text.pop_back();  // the last line end
    throw common::ConfigError(text);
  }
}

void run(Options options, Surroundings& surroundings) {
  complete(options);
  check_points(options);
  const Material material = options.csv.empty() ? from_database(options) : from_csv(options);
  FitReport report = report_of(options, material);
  report.x_name = material.x_name;
  report.d_name = options.d;
  report.y_name = material.y_label;
  report.warnings = material.warnings;
  for (std::size_t i = 0; i < options.at.size(); ++i) {
    report.asked.emplace_back(options.at[i], options.at_d.empty() ? 1 : options.at_d[i]);
  }
  const auto files = draw(report, options, material, surroundings.provenance);
  if (options.json) {
    Json json = to_json(report);
    json["seeds"] = to_json(seed_table(material.seeds, options.y));
    json["source"] = material.origin;
    json["correlations"] = correlation_json(material.correlations);
    json["left_out"] = left_out_json(material.left_out);
    surroundings.out << json.dump(2) << "\n";
    return;
  }
  surroundings.out << to_text(report) << correlation_text(material.correlations, options.y)
                   << left_out_text(material.left_out);
  if (!material.seeds.empty()) {
    surroundings.out << "\nruns that differ in the seed only (all are in the fit):\n"
                     << to_text(seed_table(material.seeds, options.y));
  }
  for (const auto& file : files) {
    if (file.extension() == ".png") surroundings.out << file.string() << " (and .svg, .pdf, .csv, .json)\n";
  }
}

}  // namespace

void add_fit_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("fit", "laws with intervals: power laws, broken, saturating, L(N, D)");
  options->database.add_to(*command);
  command
      ->add_option("--form", options->forms,
                   "power, power_floor, broken, saturating (several, separated by commas), or surface; "
                   "default: power,power_floor")
      ->delimiter(',');
  command->add_option("--x,--n", options->x,
                      "forward_macs, parameters or training_flops [forward_macs where all trainings are of the same "
                      "length, else training_flops]; a column with --csv");
  command->add_option("--d", options->d, "second input of a surface: images; a column with --csv");
  command->add_option("--y", options->y, "fid or another score, loss, loss_simple or loss_vlb; a column with --csv")
      ->capture_default_str();
  command->add_option("--settings", options->settings, "id (or its start) of the evaluation settings to fit");
  command->add_option("--points", options->points, "final: the last score of each trial; all: every score")
      ->capture_default_str();
  command->add_option("--where", options->where, "only trials that match, as of `analysis query`");
  command->add_option("--csv", options->csv, "fit columns of a CSV file instead of a database");
  command
      ->add_option("--huber", options->huber,
                   "Huber's delta on log residuals; inf is least squares [inf; of a surface 0.001]")
      ->check(above_zero_or_infinite());
  command->add_option("--starts", options->fit.num_starts, "starts of the search [200; of a surface 4500]")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--resamples", options->fit.num_resamples, "bootstrap resamples")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", options->fit.seed, "seed of the bootstrap")->capture_default_str();
  command->add_option("--at", options->at, "predict y at this x (may be given again)")->check(above_zero());
  command->add_option("--at-d", options->at_d, "and this d")->check(above_zero());
  options->figures.add_to(*command);
  command->add_flag("--json", options->json, "everything in full precision");
  command->footer(
      "Examples:\n"
      "  analysis fit --db runs/fashion_mnist_demo/results.db --x forward_macs --y fid --at 1e9\n"
      "  analysis fit --csv runs.csv --form surface --n parameters --d tokens --y loss --json");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
