#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/options.hpp"
#include "analysis/queries/rows.hpp"
#include "analysis/tables/terminal.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

struct Options {
  DatabaseOptions database;
  FormatOptions format;
  std::string trial;
  std::size_t rows = 10;
  bool all = false;
};

std::vector<const StudyTrial*> wanted_trials(const Study& study, const std::string& prefix) {
  std::vector<const StudyTrial*> wanted;
  for (const StudyTrial& trial : study.trials) {
    if (trial.id().starts_with(prefix)) wanted.push_back(&trial);
  }
  if (wanted.empty()) {
    throw common::UsageError(
        fmt::format("--trial {}: no trial's id starts with it; `analysis trials` lists them", prefix));
  }
  return wanted;
}

/// Indices of `count` rows spread evenly over `total`, the last one among them.
std::vector<std::size_t> spread(std::size_t total, std::size_t count) {
  std::vector<std::size_t> indices;
  const std::size_t shown = std::min(total, count);
  for (std::size_t i = 1; i <= shown; ++i) indices.push_back(i * total / shown - 1);
  return indices;
}

Table metrics_table(const Study& study, const Options& options) {
  const RowSource source = rows_of(study, RowKind::kMetrics, "");
  Table all = run_query(source, {"",
                                 {"trial", "model", "step", "images", "loss", "loss_simple", "loss_vlb", "grad_norm",
                                  "lr", "images_per_s", "time_s"},
                                 "",
                                 0});
  Table table;
  table.columns = all.columns;
  for (const StudyTrial* trial : wanted_trials(study, options.trial)) {
    std::vector<std::size_t> own;
    for (std::size_t row = 0; row < source.num_rows; ++row) {
      if (study.metrics[row].trial == trial->id()) own.push_back(row);
    }
    for (const std::size_t i : spread(own.size(), options.all ? own.size() : options.rows)) {
      table.rows.push_back(all.rows[own[i]]);
    }
  }
  return table;
}

void run(Options options, Surroundings& surroundings) {
  const Study study = load_study(options.database.path());
  const Format format = options.format.chosen();
  if (format == Format::kCsv || format == Format::kJson) options.all = true;
  const Table table = metrics_table(study, options);
  if (table.rows.empty() && format == Format::kTable) {
    throw common::ConfigError(fmt::format("{}: no training metrics yet; wait for the first train.log_every_steps steps",
                                          study.database.string()));
  }
  surroundings.out << render(table, format, terminal_width());
}

}  // namespace

void add_metrics_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("metrics", "training curves as numbers: loss, gradient norm, speed by step");
  options->database.add_to(*command);
  options->format.add_to(*command);
  command->add_option("--trial", options->trial, "only the trials whose id starts with this");
  command->add_option("--rows", options->rows, "rows shown per trial, evenly spread (csv and json give all)")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--all", options->all, "every row");
  command->footer("Example:\n  analysis metrics --sweep fashion_mnist_demo --trial 6028 --all");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
