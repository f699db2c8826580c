#include "analysis/queries/budget_points.hpp"

#include <CLI/CLI.hpp>

#include "analysis/commands/correlation_text.hpp"
#include "analysis/queries/csv_points.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/queries/tuning.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

void BudgetSource::add_to(CLI::App& command) {
  command.add_option("--n", n, "size: parameters or forward_macs; a column with --csv")->capture_default_str();
  command.add_option("--d", d, "data: images; a column with --csv")->capture_default_str();
  command.add_option("--c", c, "compute: a column with --csv; without, 6 N D");
  command.add_option("--y", y, "loss, fid or another score; a column with --csv")->capture_default_str();
  command.add_option("--settings", settings, "id (or its start) of the evaluation settings");
  command.add_flag("--all-points", all_points, "every score, not only the last of each trial");
}

BudgetPoints budget_points(const Study& study, const BudgetSource& source) {
  if (source.d != "images" || !source.c.empty()) {
    throw common::UsageError("of a database --d is images, and --c is known: training FLOPs; both are for --csv");
  }
  BudgetPoints found{{}, source.n, "images", source.y, {}, {}};
  ScorePoints scores;
  if (is_loss(source.y)) {
    scores = loss_points(study, source.y, source.all_points);
  } else {
    const results::SettingsRow settings = choose_settings(study, source.y, source.settings);
    scores = score_points(study, source.y, settings.id);
    found.y_name = score_label(source.y, settings);
  }
  found.left_out = source.all_points ? left_out_of_all(scores) : scores.left_out;
  const std::size_t num_shared = source.all_points ? count_shared_points_once(scores) : 0;
  const auto& taken = source.all_points ? scores.all : scores.final;
  const std::vector<FitPoint> points = fit_points(taken, x_quantity_from(source.n));
  for (std::size_t i = 0; i < points.size(); ++i) found.points.push_back({points[i], taken[i].training_flops});
  if (found.points.empty()) {
    throw common::ConfigError(
        fmt::format("{}: no trial has a {} at its end, so there is nothing to compare yet; --y names another score\n{}",
                    study.database.string(), found.y_name, left_out_text(scores.left_out)));
  }
  found.warnings = tuning_warnings(scores.final, source.y, scores.diverged);
  if (source.all_points) found.warnings.push_back(unfinished_warning(scores));
  if (num_shared > 0) found.warnings.push_back(shared_warning(num_shared));
  return found;
}

BudgetPoints budget_points_from_csv(const std::filesystem::path& file, const BudgetSource& source) {
  BudgetPoints found{{}, source.n, source.d, source.y, {}, {}};
  std::size_t num_skipped = 0;
  std::vector<double> compute;
  for (const FitPoint& point : read_csv_points(file, {source.n, source.y, source.d, source.c}, num_skipped, &compute)) {
    found.points.push_back({point, source.c.empty() ? 6 * point.x * point.d : compute[found.points.size()]});
  }
  if (source.c.empty()) {
    found.warnings.emplace_back(
        "compute is taken as 6 N D, which leaves out attention, embeddings and modulation and is wrong for small "
        "models; give what was counted with --c COLUMN");
  }
  if (num_skipped > 0) {
    found.warnings.push_back(fmt::format("{} rows without a number in one of the columns were left out", num_skipped));
  }
  return found;
}

}  // namespace ditscale::analysis
