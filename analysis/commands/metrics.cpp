#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/checks.hpp"
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

/// Rows of one trial: all, or `count` of them.
Table table_of(const Study& study, const StudyTrial& trial, std::optional<std::size_t> count) {
  const std::vector<results::MetricRow> all = study.metrics_of(trial.id());
  std::vector<results::MetricRow> shown;
  for (const std::size_t i : spread(all.size(), count.value_or(all.size()))) shown.push_back(all[i]);
  if (shown.empty()) return {};
  return run_query(metric_rows_of(study, shown), {"",
                                                  {"trial", "model", "step", "images", "loss", "loss_simple",
                                                   "loss_vlb", "grad_norm", "lr", "images_per_s", "time_s"},
                                                  "",
                                                  0});
}

/// Trial after trial, so that no more than one is in memory.
void stream_csv(const Study& study, const Options& options, std::ostream& out) {
  bool first = true;
  for (const StudyTrial* trial : wanted_trials(study, options.trial)) {
    const Table table = table_of(study, *trial, std::nullopt);
    if (table.columns.empty()) continue;
    const std::string text = to_csv(table);
    out << (first ? text : text.substr(text.find('\n') + 1));
    first = false;
  }
}

void run(const Options& options, Surroundings& surroundings) {
  const Study study = load_study(options.database.path());
  const Format format = options.format.chosen();
  if (format == Format::kCsv) return stream_csv(study, options, surroundings.out);
  const bool whole = options.all || format == Format::kJson;
  Table table;
  for (const StudyTrial* trial : wanted_trials(study, options.trial)) {
    Table own = table_of(study, *trial, whole ? std::nullopt : std::optional(options.rows));
    if (own.columns.empty()) continue;
    table.columns = own.columns;
    std::move(own.rows.begin(), own.rows.end(), std::back_inserter(table.rows));
  }
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
      ->check(whole_from(1))
      ->capture_default_str();
  command->add_flag("--all", options->all, "every row");
  command->footer("Example:\n  analysis metrics --sweep fashion_mnist_demo --trial 6028 --all");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
