#pragma once

#include <string>
#include <vector>

#include "orchestrator/view/report.hpp"

namespace ditscale::orchestrator {

/// The trials whose ids start so, each beginning naming exactly one. Throws UsageError that says what there is.
[[nodiscard]] std::vector<ReportRow> choose_trials(const Report& report, const std::vector<std::string>& beginnings);

}  // namespace ditscale::orchestrator
