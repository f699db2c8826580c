#pragma once

#include <string>

#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// FID and sFID are biased by about 1/n, n samples, differently for each model. Where scores were taken under settings
/// that differ in `num_samples` alone, adds what they extrapolate to as scores "fid_infinity" and "sfid_infinity" under
/// settings of their own ("num_samples": "extrapolated from 1000, 5000"), with a standard error. A step that has fewer
/// than two usable scores gets one without value, with the reason: scores of no more samples than features (a singular
/// covariance) do not go as 1/n and are not used. Call before `index`.
void add_extrapolated_scores(Study& study);

/// Why a study has no score "fid_infinity" ("fid was scored with 2000 samples only; …"); empty when `metric` is no
/// extrapolation of a score that it has.
[[nodiscard]] std::string why_not_extrapolated(const Study& study, const std::string& metric);

}  // namespace ditscale::analysis
