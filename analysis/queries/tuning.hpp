#pragma once

#include <string>
#include <vector>

#include "analysis/queries/score_points.hpp"

namespace ditscale::analysis {

/// What makes an exponent doubtful in how the runs were trained: one learning rate for all sizes, or a best
/// learning rate or batch at the edge of those tried.
[[nodiscard]] std::vector<std::string> tuning_warnings(const std::vector<ScorePoint>& final_points,
                                                       const std::string& metric);

/// What is wrong with a law of these points over size alone, when they come of trainings of different length; else
/// empty.
[[nodiscard]] std::vector<std::string> length_warnings(const std::vector<ScorePoint>& final_points, XQuantity x);

/// "12 of 18 points stand in the middle of their schedule …".
[[nodiscard]] std::string unfinished_warning(const ScorePoints& points);

}  // namespace ditscale::analysis
