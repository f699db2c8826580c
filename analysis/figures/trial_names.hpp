#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/queries/score_points.hpp"

namespace ditscale::analysis {

/// What tells trials of one patch size apart: "d4 w128", or a published name ("XL/2").
[[nodiscard]] std::string short_label(const StudyTrial& trial);

/// Names of trials that a figure shows: what differs among them, "width=64 lr=0.001" or "XL/2 in_context"; the model of
/// a single one. Only where nothing is known to differ does a name end with the start of the id.
using TrialNames = std::map<const StudyTrial*, std::string>;
[[nodiscard]] TrialNames names_among(std::vector<const StudyTrial*> trials);

/// The model without its block design: "XL/2", "d4-w64-h4/7-rms".
[[nodiscard]] std::string name_without_block(const StudyTrial& trial);

/// Names of runs (ids of trials) beside the points of a fit: their models, "XL/2-in_context", or of a few runs what
/// differs among them, where models are not enough.
using RunNames = std::map<std::string, std::string>;
[[nodiscard]] RunNames run_names(const std::vector<ScorePoint>& points);

}  // namespace ditscale::analysis
