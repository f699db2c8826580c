#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/correlation_text.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/fits/fit_report.hpp"
#include "analysis/queries/csv_points.hpp"
#include "analysis/queries/score_points.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  DatabaseOptions database;
  std::string x = "forward_macs";
  std::string y = "fid";
  std::string settings;
  std::string points = "final";
  std::string csv;
  FitRequest fit;
  std::vector<double> at;
  bool json = false;
};

/// What is fitted, with what is said about it besides the fit.
struct Material {
  std::vector<FitPoint> points;
  std::string y_label;
  std::vector<Correlation> correlations;
  std::vector<LeftOut> left_out;
  Json origin;
};

Material from_csv(const Options& options) {
  Material material;
  material.points = read_csv_points(options.csv, options.x, options.y);
  material.y_label = options.y;
  material.origin = {{"csv", options.csv}};
  return material;
}

Material from_database(const Options& options) {
  const Study study = load_study(options.database.path());
  Material material;
  material.origin = {{"database", study.database.string()}, {"sweep", study.name}};
  ScorePoints scores;
  if (is_loss(options.y)) {
    scores = loss_points(study, options.y);
    material.y_label = options.y;
  } else {
    const results::SettingsRow settings = choose_settings(study, options.y, options.settings);
    scores = score_points(study, options.y, settings.id);
    material.y_label = score_label(options.y, settings);
    material.origin["settings_id"] = settings.id;
    material.origin["settings"] = settings.document;
  }
  const bool all = options.points == "all";
  material.points = fit_points(all ? scores.all : scores.final, x_quantity_from(options.x));
  material.correlations = correlations(scores.final);
  material.left_out = scores.left_out;
  return material;
}

void refuse_too_few(const Material& material) {
  if (const auto why = why_not_fittable(material.points, false)) {
    throw common::ConfigError(
        fmt::format("no fit of {}: {}\n{}", material.y_label, *why, left_out_text(material.left_out)));
  }
}

void run(const Options& options, Surroundings& surroundings) {
  if (options.points != "final" && options.points != "all") {
    throw common::UsageError(fmt::format("--points {}: not known; allowed: final, all", options.points));
  }
  if (options.points == "all" && options.x != "training_flops") {
    throw common::UsageError("--points all needs --x training_flops: a model's size is the same at all its steps");
  }
  const Material material = options.csv.empty() ? from_database(options) : from_csv(options);
  refuse_too_few(material);
  FitReport report = make_fit_report(material.points, options.fit);
  report.x_name = options.x;
  report.y_name = material.y_label;
  report.asked_x = options.at;
  if (options.json) {
    Json json = to_json(report);
    json["source"] = material.origin;
    json["correlations"] = correlation_json(material.correlations);
    json["left_out"] = left_out_json(material.left_out);
    surroundings.out << json.dump(2) << "\n";
    return;
  }
  surroundings.out << to_text(report) << correlation_text(material.correlations, options.y)
                   << left_out_text(material.left_out);
}

}  // namespace

void add_fit_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("fit", "power laws with and without a floor, with intervals");
  options->database.add_to(*command);
  command->add_option("--x", options->x, "forward_macs, parameters or training_flops; a column with --csv")
      ->capture_default_str();
  command->add_option("--y", options->y, "fid or another score, loss, loss_simple or loss_vlb; a column with --csv")
      ->capture_default_str();
  command->add_option("--settings", options->settings, "id (or its start) of the evaluation settings to fit");
  command->add_option("--points", options->points, "final: the last score of each trial; all: every score")
      ->capture_default_str();
  command->add_option("--csv", options->csv, "fit two columns of a CSV file instead of a database");
  command->add_option("--huber", options->fit.huber_delta, "Huber's delta on log residuals instead of least squares")
      ->check(CLI::PositiveNumber);
  command->add_option("--resamples", options->fit.num_resamples, "bootstrap resamples")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", options->fit.seed, "seed of the bootstrap")->capture_default_str();
  command->add_option("--at", options->at, "predict y at this x (may be given again)")->check(CLI::PositiveNumber);
  command->add_flag("--json", options->json, "everything in full precision");
  command->footer("Example:\n  analysis fit --db runs/fashion_mnist_demo/results.db --x forward_macs --y fid --at 1e9");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
