#pragma once

#include <string>
#include <vector>

#include "analysis/queries/score_points.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {

/// One line per size: "log10 forward_macs and fid: Pearson r -0.93 [-0.98, -0.76], Spearman -0.96 (n = 12)".
[[nodiscard]] std::string correlation_text(const std::vector<Correlation>& correlations, const std::string& metric);
[[nodiscard]] common::Json correlation_json(const std::vector<Correlation>& correlations);

/// One line per trial that has no final score: "left out: <label>: <why>"; of many the first twenty.
[[nodiscard]] std::string left_out_text(const std::vector<LeftOut>& left_out);
[[nodiscard]] common::Json left_out_json(const std::vector<LeftOut>& left_out);

}  // namespace ditscale::analysis
