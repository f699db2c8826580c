#include <array>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analysis/commands/options.hpp"
#include "analysis/queries/rows.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/tables/terminal.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  DatabaseOptions database;
  FormatOptions format;
};

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// A score column: one per score and setting.
struct ScoreColumn {
  std::string metric;
  results::SettingsRow settings;
};

std::vector<ScoreColumn> score_columns(const Study& study) {
  std::vector<ScoreColumn> columns;
  for (const std::string& metric : study.score_names()) {
    for (results::SettingsRow& settings : settings_of(study, metric)) columns.push_back({metric, std::move(settings)});
  }
  return columns;
}

Table trials_table(const Study& study, const std::vector<ScoreColumn>& scores) {
  using Kind = Column::Kind;
  Table table;
  table.columns = {{"trial"},
                   {"label", Kind::kText, 4, true},
                   {"model"},
                   {"parameters", Kind::kInteger},
                   {"Gflops", Kind::kNumber},
                   {"state"},
                   {"step", Kind::kInteger},
                   {"loss", Kind::kNumber}};
  for (const ScoreColumn& score : scores) {
    const bool alone = settings_of(study, score.metric).size() == 1;
    table.columns.push_back(
        {alone ? score.metric : score.metric + "@" + score.settings.id.substr(0, 4), Kind::kNumber});
  }
  table.columns.insert(table.columns.end(), {{"images/s", Kind::kNumber},
                                             {"attempts", Kind::kInteger},
                                             {"seconds", Kind::kNumber},
                                             {"reason", Kind::kText, 4, true}});
  for (const StudyTrial& t : study.trials) {
    std::vector<Json> row{t.id().brief(),
                          t.row.trial.label,
                          t.model,
                          t.row.trial.total_parameters,
                          t.gflops(),
                          std::string(to_name(t.row.trial.state)),
                          or_null(t.row.steps_done),
                          or_null(t.row.last_loss)};
    for (const ScoreColumn& score : scores) {
      const results::EvaluationRow* last = study.last_score(t.id(), score.metric, score.settings.id);
      row.push_back(last == nullptr ? Json(nullptr) : or_null(last->value));
    }
    const std::string& reason = t.row.trial.reason;
    row.insert(row.end(), {or_null(t.row.images_per_s), t.row.num_attempts, or_null(t.row.seconds),
                           reason.empty() ? Json(nullptr) : Json(reason)});
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Columns that give way on a narrow terminal, the least missed first.
constexpr std::array<const char*, 5> kGivingWay{"seconds", "attempts", "label", "parameters", "images/s"};

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
  if (!hidden.empty()) text += fmt::format("Not shown in {} columns: {}.\n", *width, fmt::join(hidden, ", "));
  return text;
}

std::string legend(const Study& study, const std::vector<ScoreColumn>& scores) {
  std::string text = "Gflops: multiply-accumulates of one forward pass / 1e9, as in the DiT paper.\n";
  for (const std::string& metric : study.score_names()) {
    const auto settings = settings_of(study, metric);
    if (settings.size() > 1) {
      text += fmt::format("{} was scored under {} settings:\n{}", metric, settings.size(), differences(settings));
    } else {
      text += fmt::format("{}: {}, {} samples, {} in {} steps.\n", metric, score_label(metric, settings.front()),
                          settings.front().document.value("num_samples", Json()).dump(),
                          settings.front().document.value("sampler", std::string("?")),
                          settings.front().document.value("steps", Json()).dump());
    }
  }
  return scores.empty() ? text + "Nothing was scored yet.\n" : text;
}

void run(const Options& options, Surroundings& surroundings) {
  const Study study = load_study(options.database.path());
  const std::vector<ScoreColumn> scores = score_columns(study);
  const Table table = trials_table(study, scores);
  const Format format = options.format.chosen();
  if (format == Format::kTable) {
    surroundings.out << text_of(study, table, terminal_width()) << legend(study, scores);
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
