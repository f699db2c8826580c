#pragma once

#include <string>
#include <vector>

#include "analysis/queries/score_points.hpp"
#include "analysis/tables/table.hpp"

namespace ditscale::analysis {

/// Scores of trials that differ in the seed alone. All of them enter a fit; the lowest alone would be a selection.
struct SeedGroup {
  std::string label;
  std::size_t num = 0;
  double mean = 0;
  double lowest = 0;
  /// Standard deviation, with num - 1.
  double deviation = 0;
};

/// Groups of two trials or more, in the order of the points. `final_points` has one point per trial.
[[nodiscard]] std::vector<SeedGroup> seed_groups(const std::vector<ScorePoint>& final_points);
[[nodiscard]] Table seed_table(const std::vector<SeedGroup>& groups, const std::string& metric);

}  // namespace ditscale::analysis
