#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/queries/score_points.hpp"

namespace ditscale::analysis {

/// What tells trials of one patch size apart: "d4 w128", or a published name ("XL/2").
[[nodiscard]] std::string short_label(const StudyTrial& trial);

/// Legend of a trial; models that appear twice (other seeds, other training) carry the start of their id.
[[nodiscard]] std::string trial_name(const Study& study, const StudyTrial& trial);

/// The model without its block design: "XL/2", "d4-w64-h4/7-rms".
[[nodiscard]] std::string name_without_block(const StudyTrial& trial);

/// Names of runs (ids of trials) beside the points of a fit: "XL/2-in_context".
using RunNames = std::map<std::string, std::string>;
[[nodiscard]] RunNames run_names(const std::vector<ScorePoint>& points);

}  // namespace ditscale::analysis
