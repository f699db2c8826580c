#pragma once

#include <string>
#include <vector>

#include "analysis/queries/score_points.hpp"

namespace ditscale::analysis {

/// What makes an exponent doubtful in how the runs were trained: one learning rate for all sizes, or a best
/// learning rate or batch at the edge of those tried, with which trainings that `diverged` count too.
[[nodiscard]] std::vector<std::string> tuning_warnings(const std::vector<ScorePoint>& final_points,
                                                       const std::string& metric,
                                                       const std::vector<const StudyTrial*>& diverged = {});

/// Which axes differ among trials of one size and length, seeds apart; else empty.
[[nodiscard]] std::vector<std::string> mixed_warnings(const std::vector<ScorePoint>& final_points);

/// What is wrong with a law of these points over size alone, when they come of trainings of different length; else
/// empty.
[[nodiscard]] std::vector<std::string> length_warnings(const std::vector<ScorePoint>& final_points, XQuantity x);

/// Which of the trials are not in the sweep file any more; else empty.
[[nodiscard]] std::vector<std::string> foreign_warnings(const std::vector<ScorePoint>& final_points);

/// "12 points that … count once".
[[nodiscard]] std::string shared_warning(std::size_t num_shared);

/// "12 of 18 points stand in the middle of their schedule …".
[[nodiscard]] std::string unfinished_warning(const ScorePoints& points);

}  // namespace ditscale::analysis
