#include <array>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/commands/options.hpp"
#include "analysis/queries/rows.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/queries/trial_table.hpp"
#include "analysis/tables/terminal.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  DatabaseOptions database;
  FormatOptions format;
};

/// Columns that give way on a narrow terminal, the least missed first.
constexpr std::array<const char*, 7> kGivingWay{"seconds",  "attempts", "label", "parameters",
                                                "images/s", "step",     "state"};

/// What people see: reasons stand below the table, and a narrow terminal shows fewer columns (a line says which).
std::string text_of(const Study& study, Table table, std::optional<std::size_t> width) {
  table.drop("reason");
  std::vector<std::string> hidden;
  for (const char* column : kGivingWay) {
    if (!width || text_width(table) <= *width) break;
    table.drop(column);
    hidden.emplace_back(column);
  }
  std::string text = to_text(table, width) + "\n";
  for (const StudyTrial& t : study.trials) {
    const std::string& reason = t.row.trial.reason;
    if (!reason.empty()) text += fmt::format("{} {}: {}\n", t.id().brief(), to_name(t.row.trial.state), reason);
  }
  std::vector<std::string> foreign;
  for (const StudyTrial& t : study.trials) {
    if (!t.in_sweep) foreign.push_back(t.id().brief());
  }
  if (!foreign.empty()) {
    text += fmt::format("Not in the sweep file any more: {}.\n", fmt::join(foreign, ", "));
  }
  if (!hidden.empty()) text += fmt::format("Not shown in {} columns: {}.\n", *width, fmt::join(hidden, ", "));
  return text;
}

/// ", 2000 samples, ddim in 50 steps"; without what the settings do not say.
std::string known_of(const Json& settings) {
  std::string text;
  const auto word = [&](const char* key) {
    const Json value = settings.value(key, Json());
    return value.is_null() ? std::string() : value.is_string() ? value.get<std::string>() : value.dump();
  };
  // "extrapolated from 1000, 5000" is a number of samples too.
  if (const std::string samples = word("num_samples"); !samples.empty()) text += fmt::format(", {} samples", samples);
  const std::string sampler = word("sampler");
  const std::string steps = word("steps");
  if (!sampler.empty()) text += ", " + sampler;
  if (!steps.empty()) text += fmt::format("{} {} steps", sampler.empty() ? "," : " in", steps);
  return text;
}

std::string legend(const Study& study) {
  std::string text = "Gflops: multiply-accumulates of one forward pass / 1e9, as in the DiT paper.\n";
  for (const std::string& metric : study.score_names()) {
    const auto settings = settings_of(study, metric);
    if (settings.size() > 1) {
      text += fmt::format("{} was scored under {} settings:\n{}", metric, settings.size(), differences(settings));
    } else {
      text += fmt::format("{}: {}{}.\n", metric, score_label(metric, settings.front()),
                          known_of(settings.front().document));
    }
  }
  return study.score_names().empty() ? text + "Nothing was scored yet.\n" : text;
}

void run(const Options& options, Surroundings& surroundings) {
  const Study study = load_study(options.database.path());
  const Table table = trial_table(study);
  const Format format = options.format.chosen();
  if (format == Format::kTable) {
    surroundings.out << text_of(study, table, terminal_width()) << legend(study);
  } else {
    surroundings.out << render(table, format, std::nullopt);
  }
}

}  // namespace

void add_trials_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("trials", "one line per trial: size, state, loss, last score, speed");
  options->database.add_to(*command);
  options->format.add_to(*command);
  command->footer("Example:\n  analysis trials --db runs/fashion_mnist_demo/results.db --format md");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
