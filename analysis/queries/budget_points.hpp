#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/fits/isoflop.hpp"
#include "analysis/queries/score_points.hpp"
#include "analysis/queries/study.hpp"

namespace CLI {
class App;
}

namespace ditscale::analysis {

/// Which quantities are size, data, compute and score.
struct BudgetSource {
  /// parameters or forward_macs of a database; a column of a CSV file.
  std::string n = "parameters";
  std::string d = "images";
  /// Column of a CSV file; empty: 6 N D.
  std::string c;
  std::string y = "loss";
  std::string settings;
  /// Every score, not only the last of each trial.
  bool all_points = false;

  void add_to(CLI::App& command);
};

struct BudgetPoints {
  std::vector<BudgetPoint> points;
  std::string n_name, d_name, y_name;
  std::vector<std::string> warnings;
  /// Trials of which no point was taken.
  std::vector<LeftOut> left_out;
};

/// No points at all are a ConfigError that says why each trial has none.
/// Of a database compute is the training FLOPs (6 x forward MACs x images).
[[nodiscard]] BudgetPoints budget_points(const Study& study, const BudgetSource& source);
[[nodiscard]] BudgetPoints budget_points_from_csv(const std::filesystem::path& file, const BudgetSource& source);

}  // namespace ditscale::analysis
