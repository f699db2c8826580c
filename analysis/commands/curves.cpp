#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/correlation_text.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/figures/loss_figures.hpp"
#include "analysis/figures/placeable.hpp"
#include "analysis/figures/run_figures.hpp"
#include "analysis/figures/sample_matrix.hpp"
#include "analysis/figures/setting_figures.hpp"
#include "analysis/figures/study_figures.hpp"
#include "analysis/fits/law_fit.hpp"
#include "analysis/queries/run_table.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/queries/tuning.hpp"
#include "analysis/tables/terminal.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::Json;

namespace {

/// Pictures in the matrix of samples.
constexpr std::size_t kMostSamples = 48;

struct Options {
  DatabaseOptions database;
  std::string metric = "fid";
  std::string settings;
  FigureOptions figures;
  std::string backdrop;
  bool terminal = false;
  bool no_terminal = false;
  bool json = false;
};

/// What the figures show and the command says.
struct Curves {
  results::SettingsRow settings;
  ScorePoints points;
  std::vector<Correlation> correlations;
  std::vector<std::string> warnings;
};

std::optional<Law> law_of(const ScorePoints& points) {
  if (!same_length(points.final)) return std::nullopt;
  const std::vector<FitPoint> fit = fit_points(points.final, XQuantity::kForwardMacs);
  if (why_not_fittable(fit, Form::kPower)) return std::nullopt;
  return fit_law(fit, {}).law();
}

void refuse_without_scores(const Study& study, const Options& options, const ScorePoints& points) {
  if (!points.all.empty()) return;
  throw common::ConfigError(fmt::format(
      "{}: no trial has a {} yet, so there is no curve to draw; wait for an evaluation{}", study.database.string(),
      options.metric, points.left_out.empty() ? "" : "\n" + left_out_text(points.left_out)));
}

/// The paper's points below ours. They are FIDs in Inception's features: beside another network's they mean nothing.
class Backdrop {
 public:
  Backdrop(const Options& options, const results::SettingsRow& settings) {
    if (options.backdrop.empty()) return;
    if (features_of(settings) != "inception" || options.metric != "fid") {
      throw common::UsageError(
          fmt::format("--backdrop holds FIDs in inception features, and these are {}: they must not "
                      "share a figure",
                      score_label(options.metric, settings)));
    }
    table_ = read_run_table(options.backdrop, "scaling_400k");
  }

  void add_to(Figure& figure) const {
    if (table_.rows.empty()) return;
    if (figure.name == "fid_by_forward_gflops") add(figure, "gflops", 1);
    if (figure.name == "fid_by_parameters") add(figure, "parameters_millions", 1e6);
  }

 private:
  [[nodiscard]] std::size_t column(const char* name) const {
    const auto found = std::find(table_.columns.begin(), table_.columns.end(), name);
    if (found == table_.columns.end()) throw common::ConfigError(fmt::format("{}: no column {}", table_.source, name));
    return static_cast<std::size_t>(found - table_.columns.begin());
  }

  void add(Figure& figure, const char* x, double scale) const {
    Series series{"DiT paper, 400K steps", {}, Series::Look::kBackdrop};
    for (const RunTable::Row& row : table_.rows) {
      const Json& at = row.cells[column(x)];
      const Json& fid = row.cells[column("fid")];
      if (at.is_number() && fid.is_number()) series.points.push_back({scale * at.get<double>(), fid.get<double>(), ""});
    }
    figure.series.insert(figure.series.begin(), std::move(series));
  }

  RunTable table_;
};

Json details_of(const Study& study, const Options& options, const Curves& curves, const Figure& figure) {
  Json details{{"database", study.database.string()}, {"sweep", study.name}};
  if (figure.name.starts_with("loss_by_")) return details;
  details.update({{"metric", options.metric},
                  {"settings_id", curves.settings.id},
                  {"settings", curves.settings.document},
                  {"correlations", correlation_json(curves.correlations)},
                  {"left_out", left_out_json(curves.points.left_out)}});
  return details;
}

/// Gives each figure to `ready` as soon as it is made.
Curves make_curves(const Study& study, const Options& options,
                   const std::function<void(const Curves&, Figure)>& ready) {
  auto losses = std::async(std::launch::async, [&] { return loss_curves(study); });  // reads much
  Curves curves;
  curves.settings = choose_settings(study, options.metric, options.settings);
  curves.points = score_points(study, options.metric, curves.settings.id);
  refuse_without_scores(study, options, curves.points);
  curves.correlations = correlations(curves.points.final);
  curves.warnings = length_warnings(curves.points.final, XQuantity::kForwardMacs);
  for (std::string& warning : mixing_warnings(curves.points.final)) curves.warnings.push_back(std::move(warning));
  for (std::string& warning : foreign_warnings(curves.points.final)) curves.warnings.push_back(std::move(warning));
  const Backdrop backdrop(options, curves.settings);
  const ScoreView view{study, curves.points, score_label(options.metric, curves.settings), options.metric};
  const SettingView across{study, options.metric, view.score_label, curves.settings};
  const auto add = [&](Figure whole) {
    Figure figure = placeable(std::move(whole));
    if (figure.empty()) return;
    backdrop.add_to(figure);
    ready(curves, std::move(figure));
  };
  add(score_by_forward_gflops(view, law_of(curves.points)));
  add(score_by_parameters(view));
  add(score_by_training_flops(view));
  add(score_by_guidance(across));
  add(score_by_sampling_compute(across));
  add(score_by_block(across));
  const LossCurves curves_of_loss = losses.get();
  add(loss_by_step(study, curves_of_loss));
  add(loss_by_training_flops(study, curves_of_loss));
  add(gantt(study));
  add(predicted_against_actual_cost(study));
  add(sample_matrix(study, curves.settings, SamplePictures(study).newest(curves.settings, kMostSamples)));
  return curves;
}

void print(const Curves& curves, const std::deque<Figure>& figures, const Options& options,
           const std::vector<fs::path>& files, Surroundings& surroundings) {
  const auto size = terminal_size();
  if (options.terminal || (size && !options.no_terminal)) {
    const TerminalSize shown = size.value_or(TerminalSize{});
    surroundings.out << figure_text(figures.front(), std::min<std::size_t>(shown.columns, 120),
                                    std::clamp<std::size_t>(shown.rows - 2, 16, 32));
  }
  surroundings.out << correlation_text(curves.correlations, options.metric) << left_out_text(curves.points.left_out);
  for (const std::string& warning : curves.warnings) surroundings.out << "warning: " << warning << "\n";
  if (!files.empty()) {
    surroundings.out << fmt::format("{} figures in {}:\n", figures.size(), options.figures.out);
    for (const fs::path& file : files) {
      if (file.extension() == ".png") surroundings.out << "  " << file.string() << " (and .svg, .pdf, .csv, .json)\n";
    }
  }
}

void print_json(const Curves& curves, const Options& options, const std::vector<fs::path>& files,
                Surroundings& surroundings) {
  Json names = Json::array();
  for (const fs::path& file : files) names.push_back(file.string());
  surroundings.out << Json{{"metric", options.metric},
                           {"settings_id", curves.settings.id},
                           {"correlations", correlation_json(curves.correlations)},
                           {"left_out", left_out_json(curves.points.left_out)},
                           {"warnings", curves.warnings},
                           {"files", names}}
                          .dump(2)
                   << "\n";
}

void run(const Options& options, Surroundings& surroundings) {
  if (!options.figures.wanted() && !options.terminal && !options.json && !terminal_size()) {
    throw common::UsageError("nothing to do: give --out DIR for files, or --terminal");
  }
  const Study study = load_study(options.database.path());
  std::deque<Figure> figures;  // before the writer, which looks at them until it is gone
  FigureWriter writer(options.figures.out, surroundings.provenance, picture_size_from(options.figures.size));
  const Curves curves = make_curves(study, options, [&](const Curves& so_far, Figure figure) {
    figures.push_back(std::move(figure));
    if (options.figures.wanted()) writer.start(figures.back(), details_of(study, options, so_far, figures.back()));
  });
  const std::vector<fs::path> files = writer.finish();
  if (options.json) {
    print_json(curves, options, files, surroundings);
  } else {
    print(curves, figures, options, files, surroundings);
  }
}

}  // namespace

void add_curves_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("curves", "scaling curves: score against compute and size, and loss curves");
  options->database.add_to(*command);
  command->add_option("--metric", options->metric, "score on the y axis")->capture_default_str();
  command->add_option("--settings", options->settings, "id (or its start) of the evaluation settings to draw");
  options->figures.add_to(*command);
  command->add_option("--backdrop", options->backdrop, "JSON with the paper's table (scaling_400k), drawn below ours");
  auto* terminal = command->add_flag("--terminal", options->terminal,
                                     "print the main figure in characters (the default on a terminal)");
  command->add_flag("--no-terminal", options->no_terminal, "do not")->excludes(terminal);
  command->add_flag("--json", options->json, "correlations and file names as JSON");
  command->footer(
      "Example:\n  analysis curves --db runs/fashion_mnist_demo/results.db --out runs/fashion_mnist_demo/figures");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
