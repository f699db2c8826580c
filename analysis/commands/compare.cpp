#include <map>
#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/advice/study_law.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/figures/study_figures.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/tables/terminal.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  std::string left;
  std::string right;
  FormatOptions format;
  FigureOptions figures;
  AdviceOptions law;
};

/// The settings of both, which must be the same: scores of different ones are not comparable.
results::SettingsRow shared_settings(const Study& left, const Study& right, const AdviceOptions& options) {
  const auto of_left = choose_settings(left, options.y, options.settings);
  const auto of_right = choose_settings(right, options.y, options.settings);
  if (of_left.id == of_right.id) return of_left;
  throw common::UsageError(
      fmt::format("{} was scored under different settings in the two studies, which cannot be "
                  "compared:\n{}",
                  options.y, differences({of_left, of_right})));
}

std::map<std::string, const StudyTrial*> by_id(const Study& study) {
  std::map<std::string, const StudyTrial*> trials;
  for (const StudyTrial& trial : study.trials) trials[trial.id().str()] = &trial;
  return trials;
}

/// Of one trial, by step; empty where the study does not have it.
std::map<std::int64_t, double> scores_of(const Study& study, const common::TrialId& id, const std::string& metric,
                                         const std::string& settings) {
  std::map<std::int64_t, double> scores;
  for (const results::EvaluationRow& row : study.scores_of(id)) {
    if (row.metric == metric && row.settings_id == settings && row.value) scores[row.step] = *row.value;
  }
  return scores;
}

/// Scores of both at the last step that both have; of a trial that one side has scored, its last one.
struct ComparedScores {
  Json step, left, right, ratio;
};

ComparedScores compared(const std::map<std::int64_t, double>& left, const std::map<std::int64_t, double>& right) {
  for (auto place = left.rbegin(); place != left.rend(); ++place) {
    if (!right.contains(place->first)) continue;
    const double b = right.at(place->first);
    return {place->first, place->second, b, b / place->second};
  }
  ComparedScores found;
  if (!left.empty() && !right.empty()) return found;
  if (!left.empty()) found.left = left.rbegin()->second;
  if (!right.empty()) found.right = right.rbegin()->second;
  if (!left.empty() || !right.empty()) found.step = (left.empty() ? right : left).rbegin()->first;
  return found;
}

Table compared(const Study& left, const Study& right, const std::string& metric, const std::string& settings) {
  using Kind = Column::Kind;
  Table table;
  table.columns = {{"trial"},
                   {"label", Kind::kText, 4, true},
                   {"model"},
                   {"Gflops", Kind::kNumber},
                   {"step", Kind::kInteger},
                   {"left", Kind::kNumber},
                   {"right", Kind::kNumber},
                   {"right / left", Kind::kNumber}};
  const auto of_left = by_id(left);
  const auto of_right = by_id(right);
  auto all = of_left;
  all.insert(of_right.begin(), of_right.end());
  for (const auto& [id, trial] : all) {
    const ComparedScores scores =
        compared(scores_of(left, trial->id(), metric, settings), scores_of(right, trial->id(), metric, settings));
    table.rows.push_back({trial->id().brief(), trial->row.trial.label, trial->model, trial->gflops(), scores.step,
                          scores.left, scores.right, scores.ratio});
  }
  return table;
}

/// "alpha 0.365 [0.28, 0.45]", or why there is no law.
std::string law_line(const Study& study, const AdviceOptions& options) {
  try {
    const StudyLaw law = study_law(study, options);
    const auto interval = law.form().interval_of("alpha");
    return fmt::format("{}: {} of {}, alpha {:.5g}{}", study.name, law.law().text(5), to_name(law.x),
                       law.law().value("alpha"),
                       interval ? fmt::format(" [{:.5g}, {:.5g}]", interval->low, interval->high) : "");
  } catch (const common::ConfigError& error) {
    return fmt::format("{}: no law: {}", study.name, error.what());
  }
}

void draw(const Study& left, const Study& right, const Options& options, const results::SettingsRow& settings,
          const Provenance& provenance) {
  const ScorePoints of_left = score_points(left, options.law.y, settings.id);
  const ScorePoints of_right = score_points(right, options.law.y, settings.id);
  const std::string label = score_label(options.law.y, settings);
  const Figure figure = scores_of_two({left, of_left, label, options.law.y}, {right, of_right, label, options.law.y});
  if (figure.empty()) throw common::ConfigError("neither study has a trial scored at its end: nothing to draw yet");
  const Json details{
      {"left", left.database.string()}, {"right", right.database.string()}, {"settings_id", settings.id}};
  static_cast<void>(
      write_figure(figure, options.figures.out, provenance, details, picture_size_from(options.figures.size)));
}

void run(const Options& options, Surroundings& surroundings) {
  const Study left = load_study(options.left);
  const Study right = load_study(options.right);
  const results::SettingsRow settings = shared_settings(left, right, options.law);
  if (options.figures.wanted()) draw(left, right, options, settings, surroundings.provenance);
  const Format format = options.format.chosen();
  surroundings.out << render(compared(left, right, options.law.y, settings.id), format, terminal_width());
  if (format != Format::kTable) return;
  AdviceOptions law = options.law;
  law.settings = settings.id;
  surroundings.out << "\n" << law_line(left, law) << "\n" << law_line(right, law) << "\n";
}

}  // namespace

void add_compare_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "two studies side by side: trial by trial, and their laws");
  command->add_option("left", options->left, "results database")->required();
  command->add_option("right", options->right, "another one")->required();
  options->format.add_to(*command);
  options->figures.add_to(*command);
  command->add_option("--y", options->law.y, "score")->capture_default_str();
  command->add_option("--settings", options->law.settings, "id (or its start) of the evaluation settings");
  command->footer("Example:\n  analysis compare runs/before/results.db runs/after/results.db");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
