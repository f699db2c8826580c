#include <algorithm>
#include <map>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/advice/study_law.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/figures/study_figures.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/tables/terminal.hpp"
#include "common/error.hpp"
#include "common/trial_paths.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  std::string left;
  std::string right;
  std::string runs = "runs";
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

/// The same cell of both studies; null where one does not have it.
struct Pair {
  const StudyTrial* left = nullptr;
  const StudyTrial* right = nullptr;

  [[nodiscard]] const StudyTrial& any() const { return left != nullptr ? *left : *right; }
  [[nodiscard]] bool has_both() const { return left != nullptr && right != nullptr; }
  [[nodiscard]] bool is_one_configuration() const { return has_both() && left->id() == right->id(); }
};

/// Trials of one study that the other does not have, by their axes; null where several have the same.
std::map<std::string, const StudyTrial*> by_axes(const Study& study, const Study& other) {
  std::map<std::string, const StudyTrial*> trials;
  for (const StudyTrial& trial : study.trials) {
    if (other.find(trial.id()) != nullptr) continue;
    const auto [place, added] = trials.emplace(trial.axes().dump(), &trial);
    if (!added) place->second = nullptr;
  }
  return trials;
}

/// By id; what has no counterpart by the values of its axes, for a changed base changes every id.
std::vector<Pair> pairs_of(const Study& left, const Study& right) {
  const auto of_left = by_axes(left, right);
  const auto of_right = by_axes(right, left);
  const auto counterpart = [](const StudyTrial& trial, const auto& own, const auto& others) -> const StudyTrial* {
    const auto self = own.find(trial.axes().dump());
    const auto found = others.find(trial.axes().dump());
    const bool is_only_one = self != own.end() && self->second != nullptr;
    return is_only_one && found != others.end() ? found->second : nullptr;
  };
  std::vector<Pair> pairs;
  for (const StudyTrial& trial : left.trials) {
    const StudyTrial* same = right.find(trial.id());
    pairs.push_back({&trial, same != nullptr ? same : counterpart(trial, of_left, of_right)});
  }
  for (const StudyTrial& trial : right.trials) {
    const bool is_paired = left.find(trial.id()) != nullptr || counterpart(trial, of_right, of_left) != nullptr;
    if (!is_paired) pairs.push_back({nullptr, &trial});
  }
  return pairs;
}

/// "train.lr (0.001, 0.002), …": what the first pair's configurations differ in that is not the same one.
std::string pairing_text(const std::vector<Pair>& pairs) {
  if (std::none_of(pairs.begin(), pairs.end(), [](const Pair& pair) { return pair.has_both(); })) {
    return "no trial in common, neither by its configuration nor by the values of its axes\n";
  }
  const auto other = std::find_if(pairs.begin(), pairs.end(),
                                  [](const Pair& pair) { return pair.has_both() && !pair.is_one_configuration(); });
  if (other == pairs.end()) return "";
  const Json left = other->left->spec().flatten();
  const Json right = other->right->spec().flatten();
  std::map<std::string, std::string> differ;
  for (const Json* both : {&left, &right}) {
    for (const auto& [path, unused] : both->items()) {
      const Json of_left = left.value(path, Json());
      const Json of_right = right.value(path, Json());
      std::string name = path.substr(1);
      std::replace(name.begin(), name.end(), '/', '.');
      if (of_left != of_right) differ[name] = fmt::format("{} ({}, {})", name, of_left.dump(), of_right.dump());
    }
  }
  std::vector<std::string> texts;
  for (const auto& [unused, text] : differ) texts.push_back(text);
  return fmt::format("paired by the values of their axes, for the configurations differ in {}\n",
                     fmt::join(texts, ", "));
}

/// Of one trial, by step; empty where the study does not have it.
std::map<std::int64_t, double> scores_of(const Study& study, const StudyTrial* trial, const std::string& metric,
                                         const std::string& settings) {
  std::map<std::int64_t, double> scores;
  if (trial == nullptr) return scores;
  for (const results::EvaluationRow& row : study.scores_of(trial->id())) {
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

Table compared(const Study& left, const Study& right, const std::vector<Pair>& pairs, const std::string& metric,
               const std::string& settings) {
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
  for (const Pair& pair : pairs) {
    const StudyTrial& trial = pair.any();
    const ComparedScores scores =
        compared(scores_of(left, pair.left, metric, settings), scores_of(right, pair.right, metric, settings));
    table.rows.push_back({trial.id().brief(), trial.row.trial.label, trial.model, trial.gflops(), scores.step,
                          scores.left, scores.right, scores.ratio});
  }
  return table;
}

/// "alpha 0.365 [0.28, 0.45]", or why there is no law.
struct LawLine {
  std::string text;
  /// Empty without a law.
  std::optional<XQuantity> x;
};

LawLine law_line(const Study& study, const AdviceOptions& options) {
  try {
    const StudyLaw law = study_law(study, options);
    const auto interval = law.form().interval_of("alpha");
    return {fmt::format("{}: {} of {}, alpha {:.5g}{}\n", study.name, law.law().text(5), to_name(law.x),
                        law.law().value("alpha"),
                        interval ? fmt::format(" [{:.5g}, {:.5g}]", interval->low, interval->high) : ""),
            law.x};
  } catch (const common::ConfigError& error) {
    return {fmt::format("{}: no law: {}\n", study.name, error.what()), std::nullopt};
  }
}

std::string laws_text(const Study& left, const Study& right, const AdviceOptions& options) {
  const LawLine of_left = law_line(left, options);
  const LawLine of_right = law_line(right, options);
  std::string text = of_left.text + of_right.text;
  if (of_left.x && of_right.x && *of_left.x != *of_right.x) {
    text += "the laws are over different x: do not compare their parameters\n";
  }
  return text;
}

/// A results database, the folder of a study, or the study's name below `runs`.
std::filesystem::path database_of(const std::string& given, const std::string& runs) {
  const std::filesystem::path path = given;
  if (std::filesystem::is_directory(path)) return common::StudyPaths{path}.database();
  if (std::filesystem::exists(path)) return path;
  const std::filesystem::path named = find_database("", runs, given);
  if (std::filesystem::exists(named)) return named;
  throw common::ConfigError(
      fmt::format("{}: no such file, and no study of that name ({}); give a results database, the folder of a study, "
                  "or its name with --runs DIR",
                  given, named.string()));
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
  const Study left = load_study(database_of(options.left, options.runs));
  const Study right = load_study(database_of(options.right, options.runs));
  const results::SettingsRow settings = shared_settings(left, right, options.law);
  if (options.figures.wanted()) draw(left, right, options, settings, surroundings.provenance);
  const Format format = options.format.chosen();
  const std::vector<Pair> pairs = pairs_of(left, right);
  surroundings.out << render(compared(left, right, pairs, options.law.y, settings.id), format, terminal_width());
  if (format != Format::kTable) {
    surroundings.notes << pairing_text(pairs);
    return;
  }
  AdviceOptions law = options.law;
  law.settings = settings.id;
  surroundings.out << "\n" << pairing_text(pairs) << laws_text(left, right, law);
}

}  // namespace

void add_compare_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "two studies side by side: trial by trial, and their laws");
  command->add_option("left", options->left, "results database, folder of a study, or name of a sweep")->required();
  command->add_option("right", options->right, "another one")->required();
  command->add_option("--runs", options->runs, "folder of the sweeps, for names")->capture_default_str();
  options->format.add_to(*command);
  options->figures.add_to(*command);
  command->add_option("--y", options->law.y, "score")->capture_default_str();
  command->add_option("--settings", options->law.settings, "id (or its start) of the evaluation settings");
  command->footer(
      "Examples:\n"
      "  analysis compare runs/before/results.db runs/after/results.db\n"
      "  analysis compare before after");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
